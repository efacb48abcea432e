"""The release. The package's metadata take it from here, so that it is also known where nothing is installed."""

VERSION = "0.1.0"
