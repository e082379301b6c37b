"""Steps that turn raw tables into typed, deduplicated ones."""
