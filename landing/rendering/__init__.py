"""The contract in other languages: pure functions from `landing.contract` to the text of committed files."""
