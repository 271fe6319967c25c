"""The programs behind the Makefile; never imported at run time."""
