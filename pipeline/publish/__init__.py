"""Publishing: manifest, plan, apply, schedule, revisions, withdrawal, sharing, verification without credentials."""
