//! `onefold-server token`: who may call, arranged on the machine itself.

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use onefold_service::clock::SystemClock;
use onefold_service::token::{Ability, AccessToken, NewToken, TokenExpiry, TokenId, TokenName};
use onefold_service::tokens::Tokens;
use onefold_service::users::Users;

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it: the one time that it can be seen.
    Create {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it permits; say it once for each ability, `*` for all.
        #[arg(long = "ability", required = true, value_parser = ability)]
        abilities: Vec<Ability>,
        /// Limit it to the data of this user: its id, or its external id.
        #[arg(long)]
        user: Option<String>,
        /// When it ends, such as 2027-01-31T00:00:00Z; up to the year 9999.
        #[arg(long, value_parser = expiry)]
        expires_at: Option<TokenExpiry>,
    },
    /// Show the tokens that were not revoked, without their secrets.
    List,
    /// Make a token worth nothing from now on.
    Revoke {
        /// The number before the `|`.
        id: i64,
    },
}

/// How many tokens are read at once.
const PAGE: usize = 200;

pub(crate) async fn run(tokens: &Tokens, users: &Users, command: &TokenCommand) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create { name, abilities, user, expires_at } => {
            let user = match user {
                Some(name) => Some(users.named(name).await?.context("there is no such user")?),
                None => None,
            };
            let new = NewToken {
                name: TokenName::parse(name)?,
                abilities: abilities.iter().copied().collect(),
                user,
                expires_at: *expires_at,
            };
            let (token, plain) = tokens.create(&new).await.context("no token was made")?;
            // The token alone goes to standard output, so that a script can take it.
            eprintln!("token {} ({}) permits {}", token.id.0, token.name.as_str(), names(&token));
            println!("{}", plain.expose());
            Ok(())
        }
        TokenCommand::List => list(tokens).await,
        TokenCommand::Revoke { id } => {
            ensure!(tokens.revoke(TokenId(*id)).await?, "there is no token {id}, or none any more");
            eprintln!("token {id} is revoked");
            Ok(())
        }
    }
}

async fn list(tokens: &Tokens) -> anyhow::Result<()> {
    let moment = |at: Option<DateTime<Utc>>| at.map_or_else(|| "-".to_owned(), |at| at.to_rfc3339());
    let mut after = None;
    println!("ID\tNAME\tABILITIES\tUSER\tEXPIRES\tLAST USED");
    loop {
        let page = tokens.list(after, PAGE).await?;
        for token in &page.entries {
            println!(
                "{}\t{}\t{}\t{}\t{}\t{}",
                token.id.0,
                token.name.as_str(),
                names(token),
                token.user.map_or_else(|| "-".to_owned(), |user| user.0.to_string()),
                moment(token.expires_at),
                moment(token.last_used_at),
            );
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

fn names(token: &AccessToken) -> String {
    token.abilities.iter().map(Ability::as_str).collect::<Vec<_>>().join(",")
}

fn ability(text: &str) -> Result<Ability, String> {
    let known = || Ability::ALL.map(Ability::as_str).join(", ");
    Ability::parse(text).ok_or_else(|| format!("known abilities are {}", known()))
}

fn expiry(text: &str) -> Result<TokenExpiry, String> {
    TokenExpiry::parse(text, &SystemClock).map_err(|error| error.to_string())
}
