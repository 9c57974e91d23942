//! The account of a reserve of real data, replayed from the ledger.
//!
//! Invariant: the account is a function of the ledger alone. The first claim that names a reserve opens it; every
//! claim on it is a question and is charged when it is committed, once however often it is judged. An answer pays back
//! if it stands in the ledger before the next question.
//! A question that the account cannot pay for was not admitted, costs nothing and gets no data.
//!
//! Not here: the arithmetic of an account.

use tiepoint_assure::statistics::investing::{AlphaLedger, Policy, Refusal};
use tiepoint_model::{
    ErrorKind,
    claim::{Claim, Reserve, ReservePolicy},
    verdict::{Answer, Charge},
};

use super::lines_of;
use crate::{Error, Platform};

/// Why a reserve gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// It cannot pay for the question.
    #[error("the reserve `{reserve}` refuses the question")]
    Refused {
        /// Which.
        reserve: String,
        /// Why.
        source: Refusal,
    },
    /// It was opened with other terms.
    #[error("the reserve `{reserve}` was opened with wealth {wealth} and policy {policy:?}")]
    Opened {
        /// Which.
        reserve: String,
        /// Its first wealth.
        wealth: f64,
        /// What an answer pays back.
        policy: ReservePolicy,
    },
}

impl ReserveError {
    /// What a program should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused { source, .. } => source.kind(),
            Self::Opened { .. } => ErrorKind::InvalidInput,
        }
    }

    /// What a person should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Refused { source, .. } => source.hint(),
            Self::Opened { .. } => "write `reserve` as the first claim on it did, or open another \
                                    reserve for other data"
                .to_owned(),
        }
    }
}

/// A claim on a reserve, as the ledger has it.
struct Asked {
    entry: u64,
    claim_id: String,
    claim: Claim,
    /// The verdicts on it that were support, ascending.
    supported_at: Vec<u64>,
}

/// Refuses a claim that its reserve cannot pay for, before it is committed.
pub(super) async fn expect_wealth(platform: &Platform, claim: &Claim) -> Result<(), Error> {
    let Some(reserve) = &claim.reserve else { return Ok(()) };
    let asked = asked(platform, &reserve.name).await?;
    expect_same(reserve, asked.first())?;
    let mut account = replay(reserve, &asked, None)?;
    account.charge(claim.alpha).map(|_| ()).map_err(|source| refused(reserve, source))
}

/// What the committed claim was charged; none without a reserve.
pub(super) async fn charge_of(
    platform: &Platform,
    claim: &Claim,
    claim_id: &str,
) -> Result<Option<Charge>, Error> {
    let Some(reserve) = &claim.reserve else { return Ok(None) };
    let asked = asked(platform, &reserve.name).await?;
    expect_same(reserve, asked.first())?;
    let mut account = replay(reserve, &asked, Some(claim_id))?;
    let cost = account.cost(claim.alpha);
    let wealth_left = account.charge(claim.alpha).map_err(|source| refused(reserve, source))?;
    let [question, _] = account.counts();
    Ok(Some(Charge { reserve: reserve.name.clone(), question, cost, wealth_left }))
}

/// All claims on a reserve, in the order of the ledger, with the entries at which they were supported.
async fn asked(platform: &Platform, name: &str) -> Result<Vec<Asked>, Error> {
    let mut asked: Vec<Asked> = Vec::new();
    for line in lines_of(platform, "claim").await? {
        let Some(body) = line.body else { continue };
        let given = &body.parameters["claim"];
        if given["reserve"]["name"].as_str() != Some(name) {
            continue;
        }
        let claim = serde_json::from_value(given.clone()).map_err(Error::Json)?;
        let claim_id = body.outputs.first().cloned().unwrap_or_default();
        asked.push(Asked { entry: line.entry.index, claim_id, claim, supported_at: Vec::new() });
    }
    for line in lines_of(platform, "assess").await? {
        let Some(body) = line.body else { continue };
        let is_support = body.parameters["answer"].as_str() == Some(Answer::Supported.as_str());
        let claim_id = body.parameters["claim_id"].as_str().unwrap_or_default();
        let of = asked.iter_mut().filter(|question| is_support && question.claim_id == claim_id);
        of.for_each(|question| question.supported_at.push(line.entry.index));
    }
    Ok(asked)
}

/// The account after all questions, or just before that of `until`.
fn replay(reserve: &Reserve, asked: &[Asked], until: Option<&str>) -> Result<AlphaLedger, Error> {
    let policy = match reserve.policy {
        ReservePolicy::Spending => Policy::Spending,
        ReservePolicy::Investing => Policy::Investing { reward: reserve.wealth },
    };
    let mut account =
        AlphaLedger::new(reserve.wealth, policy).map_err(|source| refused(reserve, source))?;
    for (index, question) in asked.iter().enumerate() {
        if until == Some(question.claim_id.as_str()) {
            break;
        }
        // One that could not pay was refused then, and was asked nothing.
        if account.charge(question.claim.alpha).is_err() {
            continue;
        }
        let next = asked.get(index + 1).map_or(u64::MAX, |next| next.entry);
        let supported = question.supported_at.iter().any(|at| (question.entry..next).contains(at));
        account.settle(supported).map_err(|source| refused(reserve, source))?;
    }
    Ok(account)
}

/// A reserve is opened once: later claims name its wealth and policy as they are.
fn expect_same(reserve: &Reserve, first: Option<&Asked>) -> Result<(), Error> {
    let opened = first.and_then(|first| first.claim.reserve.as_ref());
    match opened {
        Some(opened) if opened != reserve => Err(ReserveError::Opened {
            reserve: reserve.name.clone(),
            wealth: opened.wealth,
            policy: opened.policy,
        }
        .into()),
        _ => Ok(()),
    }
}

fn refused(reserve: &Reserve, source: Refusal) -> Error {
    ReserveError::Refused { reserve: reserve.name.clone(), source }.into()
}
