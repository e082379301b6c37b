"""The conformance kit: it passes what is right and names what is wrong."""
