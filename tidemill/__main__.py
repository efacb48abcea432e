"""`python -m tidemill`, for child processes: the same as `tidemill` of the same environment."""

from tidemill.main import app

app(prog_name="tidemill")
