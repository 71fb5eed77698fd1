//! What a row of ours says beside its values: where it was made and when, and what of it a cell cannot show.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::columns::Target;
use super::parse::{FileRow, JoinRow, Parsed, RowParser, UserRow};
use super::reading::{self, Named, Reading};
use crate::user::ExternalId;
use onefold_domain::contact::{ClaimedBy, Received, Statement};
use onefold_domain::id::UserId;
use onefold_domain::origin::{HubId, Origin};
use onefold_domain::profile::{Profile, ProfileField};

/// What is kept of a contact that was made elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Kept {
    pub(super) origin: Origin,
    pub(super) created_at: DateTime<Utc>,
    /// When the contact was changed last at its origin; never before it was created.
    pub(super) updated_at: DateTime<Utc>,
    pub(super) verified_at: Option<DateTime<Utc>>,
    /// Whether there was only its user's word for it.
    pub(super) is_self_stated: bool,
    pub(super) claimed_by: Option<ClaimedBy>,
}

/// What has been read of an exported row.
#[derive(Default)]
pub(super) struct ExportCells {
    id: Option<Named>,
    hub: Option<Named>,
    number: Option<Named>,
    created_at: Option<Named>,
    updated_at: Option<Named>,
    verified_at: Option<Named>,
    received_email: Option<Named>,
    received_phone: Option<Named>,
    user_external_id: Option<Named>,
    external_id: Option<Named>,
    nones: Vec<String>,
    is_primary: bool,
    is_self_stated: bool,
    claimed_by: Option<Named>,
    profile_set: Option<Named>,
    beside_email: Option<Named>,
    beside_phone: Option<Named>,
    /// Whether the row says where it comes from. Older exports did not.
    has_origin: bool,
}

impl ExportCells {
    /// Takes what is not among the values; hands back what is.
    pub(super) fn take(&mut self, target: &Target, named: Named) -> Option<Named> {
        let place = match target {
            Target::Id => &mut self.id,
            Target::OriginHub => {
                self.has_origin = true;
                &mut self.hub
            }
            Target::OriginId => &mut self.number,
            Target::CreatedAt => &mut self.created_at,
            Target::UpdatedAt => &mut self.updated_at,
            Target::VerifiedAt => &mut self.verified_at,
            Target::ReceivedEmail => &mut self.received_email,
            Target::ReceivedPhone => &mut self.received_phone,
            Target::UserExternalId => &mut self.user_external_id,
            Target::ExternalId => &mut self.external_id,
            Target::ClaimedBy => &mut self.claimed_by,
            Target::ProfileSet => &mut self.profile_set,
            Target::BesideEmail => &mut self.beside_email,
            Target::BesidePhone => &mut self.beside_phone,
            Target::SelfStated => {
                self.is_self_stated = named.text == "true";
                return None;
            }
            Target::IsPrimary => {
                self.is_primary = named.text == "true";
                return None;
            }
            Target::ProfileNone => {
                self.nones.extend(named.text.split(',').map(|name| name.trim().to_owned()));
                return None;
            }
            _ => return Some(named),
        };
        *place = Some(named);
        None
    }

    /// The members of a profile that are null state that there is no such value.
    pub(super) fn note_nones(&mut self, profile: &Map<String, Value>) {
        let none = profile.iter().filter(|(_, value)| value.is_null());
        self.nones.extend(none.map(|(name, _)| name.clone()));
    }

    pub(super) fn has_origin(&self) -> bool {
        self.has_origin
    }
}

const NO_MOMENT: &str = "The moment cannot be read; write it like 2026-11-21T08:30:00Z.";

const YET_TO_COME: &str = "The moment has yet to come; compare the clocks of both machines.";

impl Reading {
    /// Where the row was made, and when; `None` also for one that does not say so.
    pub(super) fn kept(&mut self, parser: &RowParser) -> Option<Kept> {
        let origin = self.origin()?;
        let created_at = self.created_at(parser)?;
        let updated_at = self.export_cell(|export| &mut export.updated_at);
        let updated_at = updated_at.and_then(|named| self.moment(&named, parser)).unwrap_or(created_at);
        let verified_at = self.export_cell(|export| &mut export.verified_at);
        let verified_at = verified_at.and_then(|named| self.moment(&named, parser));
        let claimed_by = self.export_cell(|export| &mut export.claimed_by).and_then(|named| {
            let known = ClaimedBy::parse(named.text.trim()).ok_or("There is no such way to claim a contact.");
            self.read(&named.column, known)
        });
        let is_self_stated = self.export.as_ref().is_some_and(|export| export.is_self_stated);
        let updated_at = updated_at.max(created_at);
        Some(Kept { origin, created_at, updated_at, verified_at, is_self_stated, claimed_by })
    }

    pub(super) fn is_primary(&self) -> bool {
        self.export.as_ref().is_some_and(|export| export.is_primary)
    }

    /// The values as they were first written, which an export has beside the canonical ones.
    pub(super) fn received(&mut self) -> Received {
        Received {
            email: self.export_cell(|export| &mut export.received_email).map(|named| named.text),
            phone: self.export_cell(|export| &mut export.received_phone).map(|named| named.text),
        }
    }

    /// A profile with what it states as none.
    pub(super) fn with_nones(&mut self, profile: Option<Profile>) -> Option<Profile> {
        let nones = self.export.as_mut().map(|export| std::mem::take(&mut export.nones)).unwrap_or_default();
        if nones.is_empty() {
            return profile;
        }
        let known: Vec<_> = nones.iter().filter_map(|name| ProfileField::parse(name)).collect();
        if known.len() < nones.len() {
            self.fail("profileNone", "There is no such field of a profile.".to_owned());
        }
        Some(profile.unwrap_or_default().without_values(&known))
    }

    /// A profile with who set its values.
    pub(super) fn with_attributions(
        &mut self,
        profile: Option<Profile>,
        parser: &RowParser,
    ) -> Option<Profile> {
        let Some(named) = self.export_cell(|export| &mut export.profile_set) else { return profile };
        let read = serde_json::from_str::<Map<String, Value>>(&named.text);
        let read = self.read(&named.column, read.map_err(|_| "It does not say who set the values."))?;
        let profile = profile?.with_attributions(&read);
        let set = ProfileField::ALL.into_iter().filter_map(|field| profile.attribution(field));
        if set.map(|set| set.at.max(set.said_at())).max().is_some_and(|at| at > parser.latest) {
            self.fail(&named.column, YET_TO_COME.to_owned());
        }
        Some(profile)
    }

    /// What a join puts beside its value.
    fn beside(&mut self) -> Option<Statement> {
        let email = self.export_cell(|export| &mut export.beside_email);
        let email = email.and_then(|named| self.read(&named.column, reading::email(&named.text, true)));
        let phone = self.export_cell(|export| &mut export.beside_phone);
        let phone = phone.and_then(|named| self.read(&named.column, reading::phone(&named.text, None, true)));
        Statement::new(email, phone)
    }

    pub(super) fn user_external_id(&mut self) -> Option<ExternalId> {
        let named = self.export_cell(|export| &mut export.user_external_id)?;
        self.read(&named.column, ExternalId::parse(&named.text))
    }

    pub(super) fn join_row(mut self, parser: &RowParser) -> Parsed {
        let user = self.user(parser.match_by);
        let statement = self.statement(parser, user.as_ref());
        let (origin, at) = (self.origin(), self.created_at(parser));
        let (beside, source) = (self.beside(), self.source());
        match (statement, origin, at) {
            (Some(statement), Some(origin), Some(at)) if self.failures.is_empty() => {
                Ok(FileRow::Join(JoinRow { line: self.line, statement, beside, source, user, origin, at }))
            }
            _ => Err(self.failures),
        }
    }

    pub(super) fn user_row(mut self, parser: &RowParser) -> Parsed {
        let id = self.export_cell(|export| &mut export.id);
        if id.is_none() {
            self.fail("id", "The row of a user has no id.".to_owned());
        }
        let uuid = |text: &str| Uuid::try_parse(text.trim()).map_err(|_| "The id of a user is a UUID.");
        let id = id.and_then(|named| self.read(&named.column, uuid(&named.text)));
        let external_id = self.export_cell(|export| &mut export.external_id);
        let external_id =
            external_id.and_then(|named| self.read(&named.column, ExternalId::parse(&named.text)));
        let created_at = self.created_at(parser);
        let updated_at = self.export_cell(|export| &mut export.updated_at);
        let updated_at = updated_at.and_then(|named| self.moment(&named, parser));
        let profile = self.profile();
        let profile = self.with_nones(profile);
        match (id, created_at) {
            (Some(id), Some(created_at)) if self.failures.is_empty() => Ok(FileRow::User(UserRow {
                line: self.line,
                id: UserId(id),
                external_id,
                profile,
                created_at,
                updated_at: updated_at.unwrap_or(created_at).max(created_at),
            })),
            _ => Err(self.failures),
        }
    }

    fn export_cell(&mut self, cell: impl FnOnce(&mut ExportCells) -> &mut Option<Named>) -> Option<Named> {
        self.export.as_mut().and_then(|export| cell(export).take())
    }

    fn origin(&mut self) -> Option<Origin> {
        let hub = self.export_cell(|export| &mut export.hub)?;
        let hub = self.read(&hub.column, Uuid::try_parse(&hub.text).map_err(|_| "The hub is no UUID."));
        let number = self.export_cell(|export| &mut export.number);
        let number = number.and_then(|named| named.text.parse().ok()).filter(|number| *number > 0);
        if number.is_none() {
            self.fail("originId", "The row names where it comes from and has no number there.".to_owned());
        }
        Some(Origin { hub: HubId(hub?), number: number? })
    }

    fn created_at(&mut self, parser: &RowParser) -> Option<DateTime<Utc>> {
        let named = self.export_cell(|export| &mut export.created_at);
        if named.is_none() {
            self.fail("createdAt", "The row names where it comes from and not when it was made.".to_owned());
        }
        named.and_then(|named| self.moment(&named, parser))
    }

    /// To the microsecond, like all that is stored.
    fn moment(&mut self, named: &Named, parser: &RowParser) -> Option<DateTime<Utc>> {
        let at = DateTime::parse_from_rfc3339(named.text.trim()).ok();
        let at = at.and_then(|at| at.to_utc().duration_trunc(TimeDelta::microseconds(1)).ok());
        let read = match at {
            None => Err(NO_MOMENT),
            Some(at) if at > parser.latest => Err(YET_TO_COME),
            Some(at) => Ok(at),
        };
        self.read(&named.column, read)
    }
}
