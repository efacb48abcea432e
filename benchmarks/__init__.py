"""Measures public entry points and prints ratios; never imported by the parts it measures."""
