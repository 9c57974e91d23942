// Verifies a lake's ledger with golang.org/x/mod/sumdb alone, and checks that tampered twins are refused.
//
// usage: go run verify_log.go LAKE
//
// LAKE holds `key.pub`, `checkpoint` and `tile/` in the C2SP tlog-tiles layout; the library's own tile
// paths (`tile/8/0/001`, `tile/8/data/001`) are translated. Every entry is read from its bundle, hashed
// and proved; the tree is proved to continue each of a dozen earlier sizes; files of `cosigned/` must
// carry a good signature of the log too. Then one byte of each kind of file is flipped, in memory.
// Exit 0: the log verifies and every tampered twin fails. Exit 1: anything else.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// lake reads files, with one byte of one of them flipped if asked.
type lake struct {
	folder string
	path   string // the tampered file, or ""
	at     int
	seen   map[string]int // lengths of the files that were read
}

func (l *lake) read(path string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(l.folder, path))
	if err != nil {
		return nil, err
	}
	l.seen[path] = len(data)
	if path == l.path {
		data[l.at] ^= 1
	}
	return data, nil
}

// c2sp turns the library's tile path into that of C2SP tlog-tiles.
func c2sp(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

func (l *lake) Height() int { return height }

func (l *lake) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := l.read(c2sp(tile))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (l *lake) SaveTiles([]tlog.Tile, [][]byte) {}

// head is the tree of a signed checkpoint: origin, size and root on three lines.
func (l *lake) head(path string, verifier note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	data, err := l.read(path)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tree, fmt.Errorf("no root")
	}
	copy(tree.Hash[:], root)
	return tree, nil
}

// entries checks one bundle: every entry hashes to its leaf, and every 97th is proved to the root.
func (l *lake) entries(tile tlog.Tile, tree tlog.Tree, hashes tlog.HashReader) error {
	data, err := l.read(c2sp(tlog.Tile{H: height, L: -1, N: tile.N, W: tile.W}))
	if err != nil {
		return err
	}
	for i := 0; i < tile.W; i++ {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return fmt.Errorf("bundle %d is cut short", tile.N)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		hash := tlog.RecordHash(data[2:end])
		data = data[end:]
		index := tile.N<<height + int64(i)
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		if leaf[0] != hash {
			return fmt.Errorf("entry %d is not its leaf", index)
		}
		if index%97 == 0 || index == tree.N-1 {
			proof, err := tlog.ProveRecord(tree.N, index, hashes)
			if err != nil {
				return err
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, hash); err != nil {
				return err
			}
		}
	}
	if len(data) != 0 {
		return fmt.Errorf("bundle %d goes on", tile.N)
	}
	return nil
}

// verify checks the heads, the tiles, and with `every` all entries, else those of the first and last bundle.
func (l *lake) verify(every bool) (tlog.Tree, error) {
	var tree tlog.Tree
	text, err := l.read("key.pub")
	if err != nil {
		return tree, err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(text)))
	if err != nil {
		return tree, err
	}
	if tree, err = l.head("checkpoint", verifier); err != nil {
		return tree, err
	}
	hashes := tlog.TileHashReader(tree, l)
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil || root != tree.Hash {
		return tree, fmt.Errorf("root is not the signed one: %v", err)
	}
	last := (tree.N - 1) >> height
	for n := int64(0); n <= last; n++ {
		width := int(tree.N - n<<height)
		if width > 1<<height {
			width = 1 << height
		}
		if every || n == 0 || n == last {
			if err := l.entries(tlog.Tile{H: height, L: 0, N: n, W: width}, tree, hashes); err != nil {
				return tree, err
			}
		}
	}
	for size := tree.N; size > 0; size /= 2 {
		old, err := tlog.TreeHash(size, hashes)
		if err != nil {
			return tree, err
		}
		proof, err := tlog.ProveTree(tree.N, size, hashes)
		if err != nil {
			return tree, err
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, size, old); err != nil {
			return tree, err
		}
	}
	cosigned, _ := filepath.Glob(filepath.Join(l.folder, "cosigned", "*"))
	for _, path := range cosigned {
		earlier, err := l.head("cosigned/"+filepath.Base(path), verifier)
		if err != nil {
			return tree, err
		}
		root, err := tlog.TreeHash(earlier.N, hashes)
		if err != nil || root != earlier.Hash {
			return tree, fmt.Errorf("%s is of another history: %v", path, err)
		}
	}
	return tree, nil
}

func run(folder string) error {
	whole := &lake{folder: folder, seen: map[string]int{}}
	tree, err := whole.verify(true)
	if err != nil {
		return err
	}
	last := (tree.N - 1) >> height
	twins := 0
	for path, length := range whole.seen {
		// Of a long log, the files at both ends stand for all.
		tile, err := tlog.ParseTilePath("tile/8/" + strings.TrimPrefix(strings.Replace(path, "entries/", "data/", 1), "tile/"))
		if err == nil && tile.L <= 0 && tile.N != 0 && tile.N != last {
			continue
		}
		for _, at := range []int{0, length / 2, length - 1} {
			// A witness's line and the last newline of a note are not the log's to vouch for.
			if strings.HasPrefix(path, "cosigned/") && at != 0 || path == "key.pub" && at == length-1 {
				continue
			}
			twin := &lake{folder: folder, path: path, at: at, seen: map[string]int{}}
			if _, err := twin.verify(false); err == nil {
				return fmt.Errorf("a tampered twin was accepted: byte %d of %s", at, path)
			}
			twins++
		}
	}
	fmt.Printf("%s: %d entries verified by golang.org/x/mod/sumdb; %d tampered twins refused\n", folder, tree.N, twins)
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Println("usage: verify_log LAKE")
		os.Exit(1)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}
