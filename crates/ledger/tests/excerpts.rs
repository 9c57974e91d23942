//! Laws of walks between excerpts, against a slow and obvious closure.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tiepoint_ledger::{ExcerptEdges, LedgerError, excerpts::Place};
use tiepoint_model::{EdgeKind, Excerpt, LineageEdge, Timestamp};

/// Few ids, parts and instants, so that spans meet in every way.
fn excerpts() -> impl Strategy<Value = Excerpt> {
    let time = || prop::option::weighted(0.8, -6_i64..6);
    (0..4_u8, prop::option::of(0..3_u8), time(), time()).prop_map(|(id, part, a, b)| {
        let (start, end) = match (a, b) {
            (Some(a), Some(b)) => (Some(a.min(b)), Some(a.max(b) + 1)),
            open => open,
        };
        Excerpt {
            id: format!("thing-{id}"),
            part: part.map(|part| format!("/part_{part}")),
            start_time_ns: start.map(Timestamp),
            end_time_ns: end.map(Timestamp),
        }
    })
}

fn edges() -> impl Strategy<Value = Vec<LineageEdge>> {
    let kind = prop::sample::select(EdgeKind::ALL.to_vec());
    let edge = (excerpts(), kind, excerpts());
    let edge = edge.prop_map(|(child, kind, parent)| LineageEdge { child, kind, parent });
    prop::collection::vec(edge, 0..24)
}

fn overlap(a: &Excerpt, b: &Excerpt) -> bool {
    let starts = |of: &Excerpt| of.start_time_ns.map_or(i64::MIN, |time| time.0);
    let ends = |of: &Excerpt| of.end_time_ns.map_or(i64::MAX, |time| time.0);
    let same_part = a.part.is_none() || b.part.is_none() || a.part == b.part;
    a.id == b.id && same_part && starts(a) < ends(b) && starts(b) < ends(a)
}

type Answer = BTreeSet<(Excerpt, EdgeKind)>;

/// Takes in everything one edge away, until nothing is new.
fn slow(edges: &[LineageEdge], from: &Excerpt, up: bool) -> Answer {
    let mut found = Answer::new();
    loop {
        let before = found.len();
        for edge in edges {
            let (near, far) = match up {
                true => (&edge.child, &edge.parent),
                false => (&edge.parent, &edge.child),
            };
            if overlap(near, from) || found.iter().any(|(place, _)| overlap(near, place)) {
                found.insert((far.clone(), edge.kind));
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

#[expect(clippy::unwrap_used, reason = "test helper")]
fn fast(edges: &[LineageEdge], from: &Excerpt, up: bool) -> Answer {
    let mut read = ExcerptEdges::default();
    for edge in edges {
        read.add((&edge.child).into(), edge.kind, (&edge.parent).into()).unwrap();
    }
    let graph = read.build();
    let reached = match up {
        true => graph.ancestors(from.into()),
        false => graph.descendants(from.into()),
    };
    let places: Vec<Place<'_>> = reached.iter().map(|reached| reached.place).collect();
    assert!(places.iter().all(|place| places.iter().filter(|other| *other == place).count() == 1));
    let owned = |place: Place<'_>| Excerpt {
        id: place.id.to_owned(),
        part: place.part.map(ToOwned::to_owned),
        start_time_ns: place.start_ns.map(Timestamp),
        end_time_ns: place.end_ns.map(Timestamp),
    };
    let each = |one: &tiepoint_ledger::excerpts::Reached<'_>| -> Answer {
        one.kinds().map(|kind| (owned(one.place), kind)).collect()
    };
    reached.iter().flat_map(each).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        rng_seed: prop::test_runner::RngSeed::Fixed(7),
        ..ProptestConfig::default()
    })]

    /// The interval trees find what comparing every pair finds, up and down, with the same kinds.
    #[test]
    fn a_walk_is_the_obvious_closure(edges in edges(), from in excerpts(), up in any::<bool>()) {
        prop_assert_eq!(fast(&edges, &from, up), slow(&edges, &from, up));
    }

    /// The answer is a set: neither the order of the rows of the table nor repeating them changes it.
    #[test]
    fn neither_order_nor_repetition_changes_the_answer(edges in edges(), from in excerpts()) {
        let mut other: Vec<LineageEdge> = edges.iter().rev().cloned().collect();
        other.extend(edges.clone());
        prop_assert_eq!(fast(&edges, &from, true), fast(&other, &from, true));
    }

    /// Up is down seen from the other end: `a` reaches `b` upwards along one edge if `b` reaches `a` downwards.
    #[test]
    fn one_edge_is_walked_both_ways(edge in edges().prop_filter("one", |edges| !edges.is_empty())) {
        let one = &edge[..1];
        let up = fast(one, &one[0].child, true);
        let down = fast(one, &one[0].parent, false);
        prop_assert!(up.contains(&(one[0].parent.clone(), one[0].kind)));
        prop_assert!(down.contains(&(one[0].child.clone(), one[0].kind)));
    }
}

#[test]
fn an_empty_span_is_refused_with_its_number_and_an_unknown_thing_has_no_lineage() {
    let mut edges = ExcerptEdges::default();
    let whole = Place { id: "a", part: None, start_ns: None, end_ns: None };
    let empty = Place { start_ns: Some(3), end_ns: Some(3), ..whole };
    edges.add(whole, EdgeKind::Anchor, Place { id: "b", ..whole }).unwrap();
    let refused = edges.add(empty, EdgeKind::Anchor, whole);
    assert!(matches!(refused, Err(LedgerError::Malformed { line: 2, .. })), "{refused:?}");
    let part = Place { part: Some("/y"), ..whole };
    edges.add(part, EdgeKind::Anchor, Place { id: "b", ..whole }).unwrap();
    let graph = edges.build();
    assert_eq!(graph.parts("a"), ["/y"]);
    assert!(graph.ancestors(Place { id: "c", ..whole }).is_empty());
    assert!(graph.ancestors(empty).is_empty());
    // A part that no edge names is still part of the whole.
    assert_eq!(graph.ancestors(Place { part: Some("/x"), ..whole }).len(), 1);
}
