"""The campaign routes on the stack of the original API: Flask, SQLAlchemy and psycopg2."""
import os
from datetime import datetime

from flask import Flask, abort, jsonify, request
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

engine = create_engine(os.environ["SQLALCHEMY_URL"])
sessions = scoped_session(sessionmaker(engine))
app = Flask(__name__)


class Base(DeclarativeBase):
    pass


class Campaign(Base):
    __tablename__ = "campaign"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_on: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_on: Mapped[datetime] = mapped_column(server_default=func.now())
    version: Mapped[int] = mapped_column(server_default="1")

    def as_dictionary(self):
        return {
            "id": self.id, "name": self.name, "description": self.description, "is_active": self.is_active,
            "created_on": self.created_on, "updated_on": self.updated_on,
        }


@app.teardown_appcontext
def end_session(_):
    sessions.remove()


@app.get("/campaigns/")
def show_list():
    query = select(Campaign).order_by(Campaign.id).limit(request.args.get("limit", type=int))
    return jsonify([campaign.as_dictionary() for campaign in sessions.scalars(query)])


@app.get("/campaigns/<int:id>")
def show_one(id):
    campaign = sessions.get(Campaign, id)
    if campaign is None:
        abort(404)
    return jsonify(campaign.as_dictionary())


@app.post("/campaigns/")
def create():
    fields = request.get_json()
    campaign = Campaign(name=fields["name"], description=fields.get("description", ""), is_active=fields.get("is_active", True))
    sessions.add(campaign)
    sessions.commit()
    return jsonify(campaign.as_dictionary()), 201
