"""Package metadata of liveserver; all of it is here."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$', (ROOT / "liveserver" / "__init__.py").read_text("utf-8"), re.M
)
assert VERSION is not None

setup(
    name="liveserver",
    version=VERSION[1],
    description="A real uvicorn server for your tests: unittest base classes for ASGI apps",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license_expression="MIT",
    license_files=["LICENSE"],
    keywords="testing unittest pytest uvicorn asgi live-server",
    packages=find_packages(include=["liveserver", "liveserver.*"]),
    package_data={"liveserver": ["py.typed"]},
    python_requires=">=3.11",
    install_requires=[
        "uvicorn>=0.36",
        "requests>=2.32.2",
        "aiohttp>=3.12.7",  # takes absolute URLs beside a base URL; waits for TLS to close
    ],
    entry_points={"pytest11": ["liveserver = liveserver.pytest_plugin"]},
    extras_require={
        "django": ["django>=5.2"],
        "testclient": ["starlette>=1.0", "httpx2", "websockets>=15.0"],
        "tls": ["trustme>=1.0"],
        "ws": ["websockets>=13.0"],
        "wsgi": ["a2wsgi>=1.10.4"],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: AsyncIO",
        "Framework :: Django",
        "Intended Audience :: Developers",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Programming Language :: Python :: 3.15",
        "Topic :: Software Development :: Testing :: Unit",
        "Typing :: Typed",
    ],
)
