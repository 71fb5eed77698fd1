//! What the interface says of requests and answers, read from `contract.json`: an OpenAPI document, so that a test can check
//! the connector by the same facts without this code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::calls::Outcome;
use super::record::{OpenPhoneCall, RecordedCall};
use super::rules::Fault;

const DOCUMENT: &str = include_str!("contract.json");

/// Where the calls are in the document.
const PLACES: [(OpenPhoneCall, &str); 6] = [
    (OpenPhoneCall::List, "/paths/~1v1~1contacts/get"),
    (OpenPhoneCall::Create, "/paths/~1v1~1contacts/post"),
    (OpenPhoneCall::Get, "/paths/~1v1~1contacts~1{id}/get"),
    (OpenPhoneCall::Update, "/paths/~1v1~1contacts~1{id}/patch"),
    (OpenPhoneCall::Delete, "/paths/~1v1~1contacts~1{id}/delete"),
    (OpenPhoneCall::ListFields, "/paths/~1v1~1contact-custom-fields/get"),
];

static OPERATIONS: LazyLock<BTreeMap<OpenPhoneCall, Operation>> = LazyLock::new(|| {
    let document = serde_json::from_str(DOCUMENT).expect("the document is JSON");
    PLACES.iter().map(|(call, place)| (*call, Operation::read(&document, place))).collect()
});

/// One call of the document, ready to check.
struct Operation {
    /// The types of the parameters of the query.
    types: BTreeMap<String, String>,
    query: Validator,
    /// `None` if it has no body.
    body: Option<Validator>,
    /// By status or `default`; `None` for those without a body.
    answers: BTreeMap<String, Option<Validator>>,
}

/// What is wrong with a request.
pub(super) fn faults(asked: &RecordedCall) -> Vec<Fault> {
    let operation = &OPERATIONS[&asked.call];
    let query = operation.members(&asked.query);
    let mut faults: Vec<_> = operation.query.iter_errors(&query).flat_map(|error| told(&error)).collect();
    match &operation.body {
        Some(body) => faults.extend(body.iter_errors(&asked.body).flat_map(|error| told(&error))),
        None if asked.body.is_null() => {}
        None => faults.push(Fault::new("", "Unexpected body")),
    }
    faults
}

/// How an answer of our own breaks the contract, which no test may take for OpenPhone's.
pub(super) fn breach(call: OpenPhoneCall, (status, body): &Outcome) -> Option<String> {
    let answers = &OPERATIONS[&call].answers;
    let answer = answers.get(status.as_str()).or_else(|| answers.get("default"));
    let broken = match (answer, body) {
        (Some(None), None) => return None,
        (None, _) => "no such status".to_owned(),
        (Some(None), Some(_)) => "a body where there is none".to_owned(),
        (Some(Some(_)), None) => "no body".to_owned(),
        (Some(Some(answer)), Some(body)) => {
            let errors = answer.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path()));
            // A schema cannot compare it with the status of HTTP.
            let says_other = body.get("status").is_some_and(|said| *said != json!(status.as_u16()));
            let other = says_other.then(|| "/status: not the one of the answer".to_owned());
            errors.chain(other).collect::<Vec<_>>().join("; ")
        }
    };
    (!broken.is_empty())
        .then(|| format!("the double's answer {status} to {call:?} breaks the contract: {broken}"))
}

impl Operation {
    fn read(document: &Value, place: &str) -> Self {
        let operation = document.pointer(place).expect("every call is in the document");
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let (mut types, mut properties, mut required) = (BTreeMap::new(), Map::new(), Vec::new());
        for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().expect("a parameter has a name");
            let schema = &parameter["schema"];
            types.insert(name.to_owned(), schema["type"].as_str().unwrap_or_default().to_owned());
            properties.insert(name.to_owned(), schema.clone());
            required.extend((parameter["required"] == true).then_some(name));
        }
        let query = json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        });
        let answers = operation["responses"].as_object().expect("a call has answers");
        let answer = |(status, answer): (&String, &Value)| (status.clone(), content(document, answer));
        Self {
            types,
            query: validator(document, &query),
            body: content(document, &operation["requestBody"]),
            answers: answers.iter().map(answer).collect(),
        }
    }

    /// A query as the members of an object, each of its parameter's type if it can be: a name that is repeated is a list.
    fn members(&self, query: &[(String, String)]) -> Value {
        let names: BTreeSet<_> = query.iter().map(|(name, _)| name).collect();
        let member = |name: &String| {
            let values: Vec<_> =
                query.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect();
            let value = match (self.types.get(name).map(String::as_str), &values[..]) {
                (Some("integer"), [value]) => value.parse::<i64>().map_or_else(|_| json!(value), Value::from),
                (Some("array"), values) => json!(values),
                (_, [value]) => json!(value),
                (_, values) => json!(values),
            };
            (name.clone(), value)
        };
        names.into_iter().map(member).collect::<Map<_, _>>().into()
    }
}

/// What checks the JSON of a body or an answer, which may be elsewhere in the document.
fn content(document: &Value, part: &Value) -> Option<Validator> {
    let part = match part["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).expect("a reference leads somewhere"),
        None => part,
    };
    Some(validator(document, part.pointer("/content/application~1json/schema")?))
}

/// References in a schema are to the components of the document, so it gets them.
fn validator(document: &Value, schema: &Value) -> Validator {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let options =
        jsonschema::options().offline().should_validate_formats(true).should_ignore_unknown_formats(false);
    options.build(&schema).expect("the document has valid schemas")
}

/// In the words of the contract: a member that is missing or too many is the one at fault, not what it is in.
fn told(error: &ValidationError<'_>) -> Vec<Fault> {
    let path = error.instance_path();
    let member = |name: &str, message| Fault::new(&format!("{path}/{name}"), message);
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            vec![member(property.as_str().unwrap_or_default(), "Required property")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| member(name, "Unexpected property")).collect()
        }
        _ => vec![Fault::new(path.as_str(), &error.masked().to_string())],
    }
}
