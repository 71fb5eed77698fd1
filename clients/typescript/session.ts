// One session with a server whose database is empty, through the types that openapi-typescript makes of docs/openapi.json and
// openapi-fetch, which calls by them. A name or a type that the document does not have is an error of the compiler.
//
//   node session.js http://127.0.0.1:3000 "$TOKEN"
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./onefold.js";

const [baseUrl, token] = process.argv.slice(2);
const onefold = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

// The server itself: open to everybody.
const open = createClient<paths>({ baseUrl });
const service = await open.GET("/");
assert.equal(service.data?.name, "Onefold");
const health = await open.GET("/health");
assert.equal(health.data?.status, "ok");

// Who is this? The same phone with another email is the same customer.
const first = await onefold.POST("/identify", { body: { email: "lorraine@hillvalley.edu", phoneNumber: "123456" } });
assert.equal(first.data?.contact.primaryContatctId, 1);
const second = await onefold.POST("/identify", { body: { email: "mcfly@hillvalley.edu", phoneNumber: 123456 } });
assert.deepEqual(second.data?.contact, {
  primaryContatctId: 1,
  emails: ["lorraine@hillvalley.edu", "mcfly@hillvalley.edu"],
  phoneNumbers: ["123456"],
  secondaryContactIds: [2],
});
const refused = await onefold.POST("/identify", { body: { email: "guest" } });
assert.equal(refused.response.status, 400);
assert.equal(refused.error?.code, "invalid_request");
assert.equal(refused.error?.errors?.["email"]?.length, 1);

// A record of an order, found again by what it came with.
const created = await onefold.POST("/contacts", {
  params: { header: { "Idempotency-Key": "order-123" } },
  body: {
    kind: "email",
    value: "Doc@HillValley.edu",
    source: "order",
    metadata: { orderId: "order-123" },
    profile: { firstName: "Emmett", country: "US" },
  },
});
assert.equal(created.response.status, 201);
const contact = created.data!;
assert.equal(contact.value, "doc@hillvalley.edu");
const listed = await onefold.GET("/contacts", { params: { query: { customerId: contact.customerId } } });
assert.deepEqual(listed.data?.contacts.map((known) => known.id), [contact.id]);
const customer = await onefold.GET("/customers/{id}", { params: { path: { id: contact.customerId } } });
assert.equal(customer.data?.profile.firstName, "Emmett");
const changed = await onefold.PATCH("/contacts/{id}", {
  params: { path: { id: contact.id } },
  body: { profile: { lastName: "Brown" } },
});
assert.equal(changed.data?.profile?.lastName, "Brown");
const found = await onefold.GET("/customers", { params: { query: { query: "Emmett" } } });
assert.deepEqual(found.data?.customers.map((known) => known.id), [contact.customerId]);

// A user, and a record of theirs.
const user = await onefold.POST("/users", { body: { externalId: "user_456" } });
const own = await onefold.PUT("/contacts", {
  body: { kind: "phone", value: "+1 202 555 0143", source: "auth", userId: user.data!.id },
});
assert.equal(own.response.status, 201);
const theirs = await onefold.GET("/users/{id}/contacts", { params: { path: { id: user.data!.id } } });
assert.equal(theirs.data?.contacts.length, 1);

// A file, worked off in the background.
const file = await onefold.POST("/contacts/import", {
  headers: { "Content-Type": "text/csv" },
  body: "email,firstName\nbiff@hillvalley.edu,Biff\n",
  bodySerializer: (body) => body,
});
assert.equal(file.response.status, 202);
const deadline = Date.now() + 30_000;
let progress = await onefold.GET("/imports/{id}", { params: { path: { id: file.data!.id } } });
while (progress.data?.status !== "completed") {
  assert.ok(Date.now() < deadline, `the import is ${progress.data?.status}`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  progress = await onefold.GET("/imports/{id}", { params: { path: { id: file.data!.id } } });
}
const exported = await onefold.GET("/contacts/export", { parseAs: "text" });
assert.match(exported.data ?? "", /biff@hillvalley\.edu/);

// A token that may less, and what it is told.
const weaker = await onefold.POST("/tokens", { body: { name: "shop", abilities: ["identify"] } });
const shop = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${weaker.data!.token}` } });
const forbidden = await shop.GET("/contacts");
assert.equal(forbidden.response.status, 403);
assert.equal(forbidden.error?.code, "ability_missing");

// The form of the endpoints of other systems, of which none is configured.
const partner = await onefold.POST("/api/metakocka/contacts/sync", { body: { contactId: contact.id } });
assert.equal(partner.response.status, 503);
assert.equal(partner.error?.error.code, "not_configured");

// What was withdrawn is not there any more.
const withdrawn = await onefold.DELETE("/contacts/{id}", { params: { path: { id: contact.id } } });
assert.equal(withdrawn.response.status, 204);
const gone = await onefold.GET("/contacts/{id}", { params: { path: { id: contact.id } } });
assert.equal(gone.response.status, 404);
assert.equal(gone.error?.code, "unknown_contact");

console.log("TypeScript: the session went as it should.");
