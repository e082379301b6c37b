"""``python -m firnline``."""

from firnline.cli.main import main

if __name__ == "__main__":
    main()
