"""Django's commands. START_METHOD is how the processes of `test --parallel` start."""

import multiprocessing
import os
import sys

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.helpers.django_project.settings")
    if "START_METHOD" in os.environ:
        multiprocessing.set_start_method(os.environ["START_METHOD"])
    execute_from_command_line(sys.argv)
