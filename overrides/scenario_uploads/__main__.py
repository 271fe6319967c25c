"""Start the command line, or say which extra to install."""

import sys


def main() -> None:
    """Run the command line and exit."""
    try:
        from .cli.commands import run  # noqa: PLC0415 - it may not be there

        sys.exit(run())
    except KeyboardInterrupt:
        # Interrupted while the command line was being imported.
        print("error: interrupted", file=sys.stderr)
        sys.exit(130)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("rich", "typer"):
            raise
        # By its folder: a package of this name on an index may be another one.
        print("error: The command line is not installed: in the checkout, pip install '.[cli]'", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
