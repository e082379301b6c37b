"""Config files and overrides → one checked configuration. Hydra lives here and nowhere else."""

from firnline.config.arguments import Arguments, split_arguments
from firnline.config.check import check
from firnline.config.composed import TAKEN_OUT, Composed, read_composed
from firnline.config.experiment import Experiment, experiment_of
from firnline.config.jobs import JobConfig, expand
from firnline.config.launch import compose, launch
from firnline.config.mend import first_choices, mend
from firnline.config.provenance import add_sources
from firnline.config.search_path import ConfFolder, double_providers, find_conf_folders, find_options
from firnline.config.state import hydra_kept
from firnline.config.validation import field_type

__all__ = [
    "Arguments",
    "Composed",
    "ConfFolder",
    "Experiment",
    "JobConfig",
    "TAKEN_OUT",
    "add_sources",
    "check",
    "compose",
    "double_providers",
    "expand",
    "experiment_of",
    "field_type",
    "find_conf_folders",
    "find_options",
    "first_choices",
    "hydra_kept",
    "launch",
    "mend",
    "read_composed",
    "split_arguments",
]
