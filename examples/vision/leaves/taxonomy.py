"""Names and treatments, from the service of the herbarium."""

import os

import httpx

TAXONOMY_URL = os.environ.get("TAXONOMY_URL", "https://taxonomy.example.org")


async def treatment(disease):
    async with httpx.AsyncClient(timeout=5) as client:
        reply = await client.get(f"{TAXONOMY_URL}/diseases/{disease}")
        reply.raise_for_status()
        return reply.json()["treatment"]
