//! Laws of tiles: every size up to 700, the sizes around powers of 256, and the published examples.

use super::*;
use crate::{
    CompactRange, Tree,
    merkle::{leaf_hash, node_hash},
};

fn entry(index: u64) -> Vec<u8> {
    // Lengths vary, and one entry is empty.
    index.to_string().repeat(usize::try_from(index % 3).unwrap()).into_bytes()
}

fn tile(row: Row, index: u64, width: u16) -> Tile {
    Tile { row, index, width }
}

#[test]
fn paths_are_those_of_the_specification() {
    let cases = [
        (tile(Row::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067"),
        (tile(Row::Entries, 0, 1), "tile/entries/000.p/1"),
        (tile(Row::Hashes(4), 1000, 255), "tile/4/x001/000.p/255"),
        (tile(Row::Entries, 999, 256), "tile/entries/999"),
    ];
    for (tile, path) in cases {
        assert_eq!(tile.path(), path);
        assert_eq!(Tile::from_path(path), Some(tile));
    }
    let names = [
        "tile/0/1",
        "tile/0/0001",
        "tile/0/001/",
        "tile/8/000",
        "tile/00/000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/data/000",
        "tile/0/x000/001",
        "tile/0/x1/001",
        "tile/-1/000",
        "tile/0/",
        "tile/entries",
        "",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x072/x057/x594/x037/x927/936",
        "tile/7/001",
    ];
    for name in names {
        assert_eq!(Tile::from_path(name), None, "{name}");
    }
}

/// The specification's own example of 70,000 entries, and its remark on 256.
#[test]
fn tiles_of_a_size_are_those_of_the_specification() {
    let hashes_of = |size, level| -> Vec<u16> {
        let tiles = tiles_of(size).into_iter().filter(|tile| tile.row == Row::Hashes(level));
        tiles.map(|tile| tile.width).collect()
    };
    let mut row_0 = vec![256; 273];
    row_0.push(112);
    assert_eq!(hashes_of(70_000, 0), row_0);
    assert_eq!(hashes_of(70_000, 1), [256, 17]);
    assert_eq!(hashes_of(70_000, 2), [1]);
    assert_eq!(hashes_of(70_000, 3), [0_u16; 0]);
    assert_eq!((hashes_of(256, 0), hashes_of(256, 1)), (vec![256], vec![1]));
    assert_eq!(tiles_of(0), []);
}

#[test]
fn the_edge_cuts_exactly_the_tiles_of_every_size() {
    let (mut edge, mut tree, mut range) =
        (Edge::default(), Tree::default(), CompactRange::default());
    let mut written = std::collections::BTreeMap::new();
    for size in 1..=700 {
        let bytes = entry(size - 1);
        let proof = range.inclusion_of_next();
        written.extend(edge.append(&bytes).unwrap());
        tree.append(leaf_hash(&bytes));
        range.append(leaf_hash(&bytes));
        written.extend(edge.partial());
        let root = tree.root(size).unwrap();
        assert_eq!((edge.root(), edge.leaf_count(), range.root()), (root, size, root));
        assert_eq!(proof, tree.inclusion(size - 1, size).unwrap());
        for tile in tiles_of(size) {
            let (first, last) = tile.span();
            let expected: Vec<u8> = match tile.row {
                Row::Entries => {
                    let mut bundle = Vec::new();
                    (first..last).for_each(|i| push_entry(&mut bundle, &entry(i)).unwrap());
                    bundle
                }
                Row::Hashes(level) => {
                    let begin = usize::try_from(tile.index * TILE_WIDTH).unwrap();
                    let end = begin + usize::from(tile.width);
                    encode_hashes(&tree.level(usize::from(level) * 8)[begin..end])
                }
            };
            assert_eq!(written.get(&tile), Some(&expected), "size {size}, {}", tile.path());
        }
        let read = Edge::read(size, |tile| Ok::<_, LedgerError>(written[tile].clone())).unwrap();
        assert_eq!(read, edge, "size {size}");
    }
    assert_eq!(
        edge.append(&[0; 65_536]).unwrap_err().kind(),
        tiepoint_model::ErrorKind::InvalidInput
    );
}

#[test]
fn new_and_replaced_tiles_are_the_differences_of_the_sets() {
    let sizes = [0, 1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 65_792, 70_000];
    for (at, &old) in sizes.iter().enumerate() {
        for &new in &sizes[at..] {
            let (before, after) = (tiles_of(old), tiles_of(new));
            let fresh: Vec<Tile> =
                after.iter().filter(|tile| !before.contains(tile)).copied().collect();
            assert_eq!(new_tiles(old, new), fresh, "{old} to {new}");
            let mut gone: Vec<Tile> =
                before.iter().filter(|tile| !after.contains(tile)).copied().collect();
            let mut replaced = replaced_tiles(old, new);
            gone.sort_unstable();
            replaced.sort_unstable();
            replaced.dedup();
            assert_eq!(replaced, gone, "{old} to {new}");
        }
    }
}

/// Sizes on both sides of each change of rows; leaves at both ends and in between.
#[test]
fn proofs_from_the_needed_tiles_are_those_of_the_whole_tree() {
    let (mut edge, mut tree) = (Edge::default(), Tree::default());
    let mut full = std::collections::BTreeMap::new();
    for size in 1..=65_800_u64 {
        let bytes = entry(size - 1);
        full.extend(edge.append(&bytes).unwrap());
        tree.append(leaf_hash(&bytes));
        if ![1, 2, 255, 256, 257, 512, 700, 65_535, 65_536, 65_537, 65_800].contains(&size) {
            continue;
        }
        let partial: std::collections::BTreeMap<_, _> = edge.partial().into_iter().collect();
        for leaf in [0, 1, 254, 255, 256, size / 2, size.saturating_sub(2), size - 1] {
            if leaf >= size {
                continue;
            }
            let mut part = TiledTree::new(size);
            for tile in TiledTree::tiles_needed(leaf, size) {
                part.add(&tile, full.get(&tile).or(partial.get(&tile)).unwrap()).unwrap();
            }
            assert_eq!(part.root().unwrap(), tree.root(size).unwrap());
            assert_eq!(part.inclusion(leaf).unwrap(), tree.inclusion(leaf, size).unwrap());
            let old = leaf + 1;
            assert_eq!(part.consistency(old).unwrap(), tree.consistency(old, size).unwrap());
        }
    }
    assert!(TiledTree::new(5).inclusion(2).is_err());
    assert_eq!(TiledTree::new(0).root().unwrap(), crate::merkle::empty_root());
}

#[test]
fn damaged_tiles_are_refused_or_lead_to_another_root() {
    let hashes = [leaf_hash(b"a"), leaf_hash(b"b")];
    let bytes = encode_hashes(&hashes);
    assert_eq!(decode_hashes(&bytes, 2).unwrap(), hashes);
    for (bytes, width) in [(&bytes[..63], 2), (&bytes[..], 1), (&bytes[..], 3), (&[][..], 1)] {
        assert!(decode_hashes(bytes, width).is_err());
    }
    let mut part = TiledTree::new(2);
    part.add(&tile(Row::Hashes(0), 0, 2), &bytes).unwrap();
    assert_eq!(part.root().unwrap(), node_hash(&hashes[0], &hashes[1]));
    let mut bundle = Vec::new();
    push_entry(&mut bundle, b"one").unwrap();
    push_entry(&mut bundle, b"").unwrap();
    assert_eq!(decode_bundle(&bundle, 2).unwrap(), [&b"one"[..], b""]);
    for end in 0..bundle.len() {
        assert!(decode_bundle(&bundle[..end], 2).is_err(), "cut at {end}");
    }
    assert!(decode_bundle(&bundle, 1).is_err());
}
