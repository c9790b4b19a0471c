"""The intermediate representation: pydantic records, text, hashes."""
