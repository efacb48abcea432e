"""The least that Flask can do on the collector's server: answer 204."""

from flask import Flask

app = Flask(__name__, static_folder=None)


@app.post("/e")
def take() -> tuple[str, int]:
    """Nothing is read, nothing is kept."""
    return "", 204
