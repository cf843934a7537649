"""api-client-check.py URL FOLDER KEY: tests the API with the client in FOLDER/client, generated from the OpenAPI document."""

import sys

from httpx import URL

sys.path.insert(0, sys.argv[2])
from client import AuthenticatedClient, Client
from client.api.campaigns import (
    change_campaign,
    change_campaigns,
    create_campaign,
    delete_campaign,
    delete_campaigns,
    get_campaign,
    list_campaigns,
    replace_campaign,
)
from client.api.service import get_readiness
from client.models import Campaign, CampaignDraft, CampaignPatch, Error, ListCampaignsSort

anonymous = Client(base_url=sys.argv[1])
api = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[3])
assert get_readiness.sync(client=api).status == "ready"

refused = list_campaigns.sync_detailed(client=anonymous)
assert refused.status_code == 401 and isinstance(refused.parsed, Error), refused

# A single campaign: create, read, replace, patch, delete.
created = create_campaign.sync_detailed(client=api, body=CampaignDraft(name=" Client "))
one = created.parsed
assert created.status_code == 201 and isinstance(one, Campaign), created
assert (one.name, one.description, one.is_active) == ("Client", "", True), one
assert URL(created.headers["Location"]).path == f"/campaigns/{one.id}"
read = get_campaign.sync_detailed(one.id, client=api)
assert read.parsed == one and read.headers["ETag"] == created.headers["ETag"]
assert get_campaign.sync_detailed(one.id, client=api, if_none_match=read.headers["ETag"]).status_code == 304

replaced = replace_campaign.sync_detailed(one.id, client=api, body=CampaignDraft(name="Other", is_active=False))
assert (replaced.parsed.name, replaced.parsed.is_active) == ("Other", False), replaced
stale = change_campaign.sync_detailed(
    one.id, client=api, body=CampaignPatch(description="late"), if_match=read.headers["ETag"]
)
assert stale.status_code == 412 and isinstance(stale.parsed, Error), stale
changed = change_campaign.sync(one.id, client=api, body=CampaignPatch(description="new", is_active=None))
assert (changed.name, changed.description, changed.is_active) == ("Other", "new", True), changed

assert delete_campaign.sync_detailed(one.id, client=api).status_code == 204
gone = get_campaign.sync_detailed(one.id, client=api)
assert gone.status_code == 404 and gone.parsed.request_id == gone.headers["X-Request-Id"], gone

# Validation errors name the field.
invalid = create_campaign.sync_detailed(client=api, body=CampaignDraft(name=""))
assert invalid.status_code == 422 and invalid.parsed.errors[0].field == "name", invalid

# The same request sent twice with one Idempotency-Key creates one campaign.
draft = CampaignDraft(name="once")
first, second = [create_campaign.sync(client=api, body=draft, idempotency_key=f"client-{one.id}") for _ in range(2)]
assert first.id == second.id

# Bulk creation of 25 campaigns, then pages of 10, until there is no next link.
many = create_campaign.sync(client=api, body=[CampaignDraft(name=f"page {n:02}") for n in range(25)])
assert [row.name for row in many] == [f"page {n:02}" for n in range(25)]
rows, pages, more = [], 0, {}
while True:
    page = list_campaigns.sync_detailed(
        client=api, limit=10, q="page", sort=ListCampaignsSort("-name"), count=True, **more
    )
    assert page.headers["X-Total-Count"] == "25", page.headers
    rows, pages = rows + page.parsed, pages + 1
    if "Link" not in page.headers:
        break
    link, relation = page.headers["Link"].split(";")
    assert relation.strip() == 'rel="next"'
    more = {"cursor": URL(link.strip("<>")).params["cursor"]}
assert pages == 3 and [row.name for row in rows] == [f"page {n:02}" for n in reversed(range(25))], rows
damaged = list_campaigns.sync_detailed(client=api, limit=10, cursor=more["cursor"][:-1], q="page")
assert damaged.status_code == 422 and damaged.parsed.errors[0].field == "cursor", damaged

ids = ",".join(str(row.id) for row in many)
assert change_campaigns.sync(client=api, body=CampaignPatch(is_active=False), idin=ids).affected == 25
assert not any(row.is_active for row in list_campaigns.sync(client=api, idin=ids))
assert delete_campaigns.sync(client=api, idin=ids).affected == 25
assert list_campaigns.sync(client=api, idin=ids) == []
assert delete_campaigns.sync_detailed(client=api).status_code == 422
print("the generated client: passed")
