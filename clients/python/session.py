"""One session with a server whose database is empty, through the client that openapi-python-client makes of
docs/openapi.json. Answers are read into the types of the client, so one that they do not fit ends the session.

    python session.py http://127.0.0.1:3000 "$TOKEN"
"""

import io
import sys
import time

from onefold.api.access import tokens_create
from onefold.api.contacts import (
    contacts_change,
    contacts_create,
    contacts_export,
    contacts_list,
    contacts_read,
    contacts_upsert,
    contacts_withdraw,
)
from onefold.api.customers import customers_read, customers_search
from onefold.api.identity import identity_identify
from onefold.api.imports import contacts_import, imports_read
from onefold.api.metakocka import metakocka_sync
from onefold.api.operations import health_read, service_read
from onefold.api.users import users_contacts, users_create
from onefold.client import AuthenticatedClient, Client
from onefold.models import (
    ContactBody,
    ContactBodyMetadataType0,
    ContactPatch,
    ContactToSync,
    IdentifyBody,
    Profile,
    TokenBody,
    UserBody,
)
from onefold.types import File


def expect(actual: object, expected: object) -> None:
    if actual != expected:
        raise SystemExit(f"expected {expected!r}, received {actual!r}")


def answer(response, status: int):
    """What the server answered, as the client reads it."""
    expect((response.status_code, response.content if response.status_code != status else b""), (status, b""))
    return response.parsed


address, token = sys.argv[1:]
# A status that the document does not have is an exception.
onefold = AuthenticatedClient(base_url=address, token=token, raise_on_unexpected_status=True)

# The server itself: open to everybody.
anybody = Client(base_url=address, raise_on_unexpected_status=True)
expect(answer(service_read.sync_detailed(client=anybody), 200).name, "Onefold")
expect(answer(health_read.sync_detailed(client=anybody), 200).status, "ok")

# Who is this? The same phone with another email is the same customer.
lorraine = IdentifyBody(email="lorraine@hillvalley.edu", phone_number="123456")
first = answer(identity_identify.sync_detailed(client=onefold, body=lorraine), 200)
expect(first.contact.primary_contatct_id, 1)
marty = IdentifyBody(email="mcfly@hillvalley.edu", phone_number=123456)
second = answer(identity_identify.sync_detailed(client=onefold, body=marty), 200).contact
expect((second.primary_contatct_id, second.secondary_contact_ids), (1, [2]))
expect(second.emails, ["lorraine@hillvalley.edu", "mcfly@hillvalley.edu"])
expect(second.phone_numbers, ["123456"])
refused = answer(identity_identify.sync_detailed(client=onefold, body=IdentifyBody(email="guest")), 400)
expect((refused.code, list(refused.errors.additional_properties)), ("invalid_request", ["email"]))

# A record of an order, found again by what it came with.
body = ContactBody(
    kind="email",
    value="Doc@HillValley.edu",
    source="order",
    metadata=ContactBodyMetadataType0.from_dict({"orderId": "order-123"}),
    profile=Profile(first_name="Emmett", country="US"),
)
created = contacts_create.sync_detailed(client=onefold, body=body, idempotency_key="order-123")
contact = answer(created, 201)
expect(contact.value, "doc@hillvalley.edu")
expect(contact.metadata.to_dict(), {"orderId": "order-123"})
listed = answer(contacts_list.sync_detailed(client=onefold, customer_id=str(contact.customer_id)), 200)
expect([known.id for known in listed.contacts], [contact.id])
customer = answer(customers_read.sync_detailed(str(contact.customer_id), client=onefold), 200)
expect((customer.id, customer.profile.first_name), (contact.customer_id, "Emmett"))
patch = ContactPatch(profile=Profile(last_name="Brown"))
changed = answer(contacts_change.sync_detailed(contact.id, client=onefold, body=patch), 200)
expect((changed.profile.first_name, changed.profile.last_name), ("Emmett", "Brown"))
found = answer(customers_search.sync_detailed(client=onefold, query="Emmett"), 200)
expect([known.id for known in found.customers], [contact.customer_id])

# A user, and a record of theirs.
user = answer(users_create.sync_detailed(client=onefold, body=UserBody(external_id="user_456")), 201)
own = ContactBody(kind="phone", value="+1 202 555 0143", source="auth", user_id=str(user.id))
answer(contacts_upsert.sync_detailed(client=onefold, body=own), 201)
theirs = answer(users_contacts.sync_detailed(str(user.id), client=onefold), 200)
expect([known.value for known in theirs.contacts], ["+12025550143"])

# A file, worked off in the background.
file = File(payload=io.BytesIO(b"email,firstName\nbiff@hillvalley.edu,Biff\n"))
accepted = answer(contacts_import.sync_detailed(client=onefold, body=file), 202)
deadline = time.monotonic() + 30
while (progress := answer(imports_read.sync_detailed(str(accepted.id), client=onefold), 200)).status != "completed":
    if time.monotonic() > deadline:
        raise SystemExit(f"the import is {progress.status}")
    time.sleep(0.05)
exported = contacts_export.sync_detailed(client=onefold)
expect((exported.status_code, b"biff@hillvalley.edu" in exported.content), (200, True))

# A token that may less, and what it is told.
weaker = answer(tokens_create.sync_detailed(client=onefold, body=TokenBody(name="shop", abilities=["identify"])), 201)
shop = AuthenticatedClient(base_url=address, token=weaker.token, raise_on_unexpected_status=True)
expect(answer(contacts_list.sync_detailed(client=shop), 403).code, "ability_missing")

# The form of the endpoints of other systems, of which none is configured.
partner = ContactToSync(contact_id=contact.id)
expect(answer(metakocka_sync.sync_detailed(client=onefold, body=partner), 503).error.code, "not_configured")

# What was withdrawn is not there any more.
answer(contacts_withdraw.sync_detailed(contact.id, client=onefold), 204)
expect(answer(contacts_read.sync_detailed(contact.id, client=onefold), 404).code, "unknown_contact")

print("Python: the session went as it should.")
