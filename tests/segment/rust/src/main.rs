//! Sends messages to a daemon with a Rust client of Segment's API.
//!
//! Usage: `segment-client URL WRITE_KEY single|batch`. Reads a list of messages a line and answers each with a
//! line, as `client.py` does. Must not know what becomes of messages: it only translates.

use std::io::{BufRead as _, Write as _, stdin, stdout};

use anyhow::{Context as _, bail};
use segment::message::{Alias, BatchMessage, Identify, Message, Page, Track, User};
use segment::{Batcher, Client as _, HttpClient};
use serde_json::{Map, Value, json};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().context("no URL")?;
    let write_key = arguments.next().context("no write key")?;
    let is_batch = arguments.next().context("neither single nor batch")? == "batch";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = HttpClient::new(reqwest::Client::new(), url);
    for line in stdin().lock().lines() {
        let messages: Vec<Map<String, Value>> = serde_json::from_str(&line?)?;
        let messages: Vec<_> = messages.into_iter().map(message).collect::<Result<_, _>>()?;
        let sent = if is_batch {
            vec![batch(messages)?]
        } else {
            messages.into_iter().map(single).collect()
        };
        let mut errors = Vec::new();
        for message in sent {
            let sent = runtime.block_on(client.send(write_key.clone(), message));
            errors.extend(sent.err().map(|error| error.to_string()));
        }
        let mut output = stdout().lock();
        writeln!(output, "{}", json!({ "errors": errors }))?;
        output.flush()?;
    }
    Ok(())
}

fn message(mut given: Map<String, Value>) -> anyhow::Result<BatchMessage> {
    let mut text = |name: &str| match given.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let user = match (text("userId"), text("anonymousId")) {
        (Some(user_id), Some(anonymous_id)) => User::Both { user_id, anonymous_id },
        (Some(user_id), None) => User::UserId { user_id },
        (None, Some(anonymous_id)) => User::AnonymousId { anonymous_id },
        (None, None) => bail!("nobody did it"),
    };
    let (kind, event, name, previous) =
        (text("type"), text("event"), text("name"), text("previousId"));
    let object = |name: &str| given.get(name).cloned().unwrap_or_else(|| json!({}));
    let context = given.get("context").cloned();
    Ok(match kind.context("no type")?.as_str() {
        "track" => BatchMessage::Track(Track {
            user,
            event: event.context("no event")?,
            properties: object("properties"),
            context,
            ..Track::default()
        }),
        "identify" => BatchMessage::Identify(Identify {
            user,
            traits: object("traits"),
            context,
            ..Identify::default()
        }),
        "page" => BatchMessage::Page(Page {
            user,
            name: name.unwrap_or_default(),
            properties: object("properties"),
            context,
            ..Page::default()
        }),
        "alias" => BatchMessage::Alias(Alias {
            user,
            previous_id: previous.context("no previousId")?,
            context,
            ..Alias::default()
        }),
        other => bail!("type {other:?} is unknown"),
    })
}

fn batch(messages: Vec<BatchMessage>) -> anyhow::Result<Message> {
    let mut batcher = Batcher::new(None);
    for message in messages {
        if batcher.push(message)?.is_some() {
            bail!("more than goes into a batch");
        }
    }
    Ok(batcher.into_message())
}

fn single(message: BatchMessage) -> Message {
    match message {
        BatchMessage::Identify(message) => Message::Identify(message),
        BatchMessage::Track(message) => Message::Track(message),
        BatchMessage::Page(message) => Message::Page(message),
        BatchMessage::Screen(message) => Message::Screen(message),
        BatchMessage::Group(message) => Message::Group(message),
        BatchMessage::Alias(message) => Message::Alias(message),
    }
}
