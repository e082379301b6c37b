"""Folders from which other services make containers of an export. They are written; nothing is built or sent."""

from __future__ import annotations

import json
import tarfile
from importlib import metadata
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from firnline_onnx.signature import MODEL_FILE, SIGNATURE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_onnx.signature import Signature

Target: TypeAlias = Literal["docker", "sagemaker", "azureml"]
PORT: Final = 8080

_DOCKERFILE: Final = """\
# Build it in this folder: docker build -t {image} .
FROM python:3.11-slim
RUN pip install --no-cache-dir 'firnline[onnx]=={version}' && useradd --create-home server
{copy}COPY start.sh /start.sh
USER server
EXPOSE {port}
# What a service adds to the command, such as `serve`, is not needed.
ENTRYPOINT ["/bin/sh", "/start.sh"]
"""
_START: Final = """\
#!/bin/sh
# In a container, who may ask is decided outside of it.
exec firnline serve "{folder}" --host 0.0.0.0 --port {port}
"""
_FOLDERS: Final[dict[Target, str]] = {
    "docker": "/model",
    "sagemaker": "/opt/ml/model",
    "azureml": "$AZUREML_MODEL_DIR/model",
}


def write_deployment(export: Path, signature: Signature, target: Target) -> Path:
    """Write the folder of a target beside the export's files.

    Args:
        export: the folder that holds the model and its signature.
        signature: of the model.
        target: ``docker`` has the model in the image, SageMaker and Azure ML mount it.
    """
    folder = export / target
    folder.mkdir()
    image = "".join(c if c.isascii() and c.isalnum() else "-" for c in signature.name.lower()).strip("-")
    copy = "COPY model /model\n" if target == "docker" else ""
    _write(
        folder / "Dockerfile",
        _DOCKERFILE.format(image=image, version=metadata.version("firnline"), copy=copy, port=PORT),
    )
    _write(folder / "start.sh", _START.format(folder=_FOLDERS[target], port=PORT))
    match target:
        case "sagemaker":
            with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
                for name in (MODEL_FILE, SIGNATURE_FILE):
                    archive.add(export / name, arcname=name)
        case "docker" | "azureml":
            (folder / "model").mkdir()
            for name in (MODEL_FILE, SIGNATURE_FILE):
                (folder / "model" / name).write_bytes((export / name).read_bytes())
    if target == "azureml":
        _write(folder / "endpoint.yml", _azure_endpoint(image))
        _write(folder / "deployment.yml", _azure_deployment(image, signature))
    return folder


def _azure_endpoint(image: str) -> str:
    return (
        "$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineEndpoint.schema.json\n"
        f"name: {image[:32].strip('-')}\n"
        "auth_mode: key\n"
    )


def _azure_deployment(image: str, signature: Signature) -> str:
    routes = "\n".join(
        f"    {name}_route: {{path: {path}, port: {PORT}}}"
        for name, path in (("liveness", "/health"), ("readiness", "/ready"), ("scoring", "/predict"))
    )
    return (
        "$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json\n"
        "name: blue\n"
        f"endpoint_name: {image[:32].strip('-')}\n"
        "model:\n"
        f"  path: model\n"
        f"  description: {json.dumps(f'{signature.name} version {signature.version}')}\n"
        "environment:\n"
        "  build: {path: ., dockerfile_path: Dockerfile}\n"
        "  inference_config:\n"
        f"{routes}\n"
        "instance_type: Standard_DS3_v2\n"
        "instance_count: 1\n"
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
