"""The seven packs of rules, one for each module of the course; found by the engine through an entry point."""
