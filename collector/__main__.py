"""`python -m collector`: the collector alone, configured by the environment."""

import sys

from pydantic import ValidationError

from collector.log import configure_logs
from collector.scripts import ScriptsUnusable, read_scripts
from collector.serve import serve
from collector.settings import CollectorSettings
from landing.errors import SitesFileInvalid
from landing.settings import explain_settings_error


def main() -> int:
    """Serve until told to stop; 2 when the configuration cannot be used."""
    configure_logs()
    try:
        settings = CollectorSettings()
        read_scripts(settings.scripts_folder)
        serve(settings)
    except ValidationError as error:
        sys.stderr.write(f"{explain_settings_error(error)}\n")
        return 2
    except SitesFileInvalid as error:
        sys.stderr.write(f"TIDEMILL_SITES: {error}\n")
        return 2
    except ScriptsUnusable as error:
        sys.stderr.write(f"TIDEMILL_TRACKER_FOLDER: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
