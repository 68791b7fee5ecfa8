"""Renderings of a report for people and for programs; no analysis happens here."""
