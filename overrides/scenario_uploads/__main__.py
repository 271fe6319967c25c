"""Starting the command line, which needs an extra that the library does without."""

import sys


def main() -> None:
    """Run the command line and exit."""
    try:
        from .cli.commands import run  # noqa: PLC0415 - it may not be there

        sys.exit(run())
    except KeyboardInterrupt:
        # Before the command line is there to deal with it.
        print("error: interrupted", file=sys.stderr)
        sys.exit(130)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("rich", "typer"):
            raise
        print("error: The command line is not installed: pip install 'scenario-uploads[cli]'", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
