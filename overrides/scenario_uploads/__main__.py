"""Starting the command line, which needs an extra that the library does without."""

import sys


def main() -> None:
    """Run the command line and exit."""
    try:
        from .cli import run  # noqa: PLC0415 - it may not be there
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("rich", "typer"):
            raise
        print("error: The command line is not installed: pip install 'scenario-uploads[cli]'", file=sys.stderr)
        sys.exit(2)
    sys.exit(run())


if __name__ == "__main__":
    main()
