"""The campaign routes on FastAPI, with uvicorn and asyncpg."""
import contextlib
import os
from datetime import timezone
from email.utils import format_datetime

import asyncpg
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel

COLUMNS = "id, name, description, is_active, created_on, updated_on, version"


@contextlib.asynccontextmanager
async def database(app):
    async with asyncpg.create_pool(os.environ["ASYNCPG_URL"], min_size=1, max_size=10) as app.state.pool:
        yield


app = FastAPI(lifespan=database)


class NewCampaign(BaseModel):
    name: str
    description: str = ""
    is_active: bool = True


def http_date(time):
    return format_datetime(time.replace(tzinfo=timezone.utc), usegmt=True)


def as_dictionary(row):
    return {
        "created_on": http_date(row["created_on"]), "description": row["description"], "id": row["id"],
        "is_active": row["is_active"], "name": row["name"], "updated_on": http_date(row["updated_on"]),
    }


@app.get("/campaigns/")
async def show_list(limit: int | None = None):
    rows = await app.state.pool.fetch(f"SELECT {COLUMNS} FROM campaign ORDER BY id LIMIT $1", limit)
    return JSONResponse([as_dictionary(row) for row in rows])


@app.get("/campaigns/{id}")
async def show_one(id: int):
    row = await app.state.pool.fetchrow(f"SELECT {COLUMNS} FROM campaign WHERE id = $1", id)
    if row is None:
        raise HTTPException(404)
    return JSONResponse(as_dictionary(row))


@app.post("/campaigns/")
async def create(new: NewCampaign):
    statement = f"INSERT INTO campaign (name, description, is_active) VALUES ($1, $2, $3) RETURNING {COLUMNS}"
    row = await app.state.pool.fetchrow(statement, new.name, new.description, new.is_active)
    return JSONResponse(as_dictionary(row), status_code=201)
