// The Merkle tree of RFC 6962 §2.1 over SHA-256, pure: no I/O, no store.
//
//   leaf   H(0x00 || leaf bytes)          node  H(0x01 || left || right)          empty tree  H("")
//
// A node is named (level, index): it covers the leaves [index << level, (index + 1) << level). A complete node never
// changes once its leaves are there, which is why it can be stored. Stored form: tiles (C2SP tlog-tiles). Tile (L, n)
// holds the 256 nodes of level 8·L from index 256·n, 32 bytes each; only full tiles are stored, the incomplete ones at
// the right edge live in a Tree and are restored from leaf hashes and full tiles.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jw::record {

using Hash = std::array<uint8_t, 32>;

constexpr unsigned kTileLevels = 8;                          // tree levels a tile spans
constexpr uint64_t kTileWidth = uint64_t{1} << kTileLevels;  // hashes in a full tile

Hash leaf_hash(std::string_view leaf);
Hash node_hash(const Hash& left, const Hash& right);
Hash empty_root();
std::string_view bytes_of(const Hash& hash);
std::optional<Hash> hash_of(std::string_view bytes);  // nullopt unless 32 bytes

// A full tile, ready to be stored.
struct Tile {
  uint64_t level = 0;   // of tiles: 0 holds leaf hashes
  uint64_t number = 0;  // from the left
  std::vector<Hash> hashes;

  std::string bytes() const;
};
std::vector<Hash> hashes_of_tile(std::string_view bytes);  // empty unless a whole number of hashes
Hash root_of_complete(std::span<const Hash> hashes);       // a power of two of them

// The growing right edge of a tree: everything needed to append and to say the root, nothing more (some ten kilobytes).
class Tree {
 public:
  uint64_t size() const { return size_; }
  Hash root() const;
  // Adds one leaf; tiles that became full are added to `full`.
  void append(const Hash& leaf, std::vector<Tile>& full);
  // The incomplete tile at the right edge of a tile level; empty when there is none.
  std::span<const Hash> edge(uint64_t tile_level) const;

  // Restores the edge of a tree of `size` leaves. `leaves`: hashes of the leaves behind the last full tile of level 0.
  // `tile` reads a full tile; it throws when it is not there.
  using TileSource = std::function<std::vector<Hash>(uint64_t level, uint64_t number)>;
  static Tree restore(uint64_t size, std::span<const Hash> leaves, const TileSource& tile);

 private:
  uint64_t size_ = 0;
  std::vector<Hash> peaks_;               // roots of the complete subtrees, largest first: one for each bit of size_
  std::vector<std::vector<Hash>> edges_;  // by tile level
};

// Reads nodes of a tree of edge.size() leaves out of its edge and its full tiles, and makes proofs for any size up to
// that. Each full tile is read once. Not thread-safe; make one for each proof.
class TreeReader {
 public:
  TreeReader(const Tree& edge, Tree::TileSource tile) : edge_(edge), tile_(std::move(tile)) {}

  Hash root(uint64_t size);                                         // size <= edge.size()
  std::vector<Hash> inclusion(uint64_t seq, uint64_t size);         // seq < size <= edge.size(); RFC 6962 §2.1.1
  std::vector<Hash> consistency(uint64_t old_size, uint64_t size);  // old_size <= size; empty when 0 or equal; §2.1.2

 private:
  Hash node(unsigned level, uint64_t index);
  Hash subtree(uint64_t begin, uint64_t end);
  std::span<const Hash> tile_hashes(uint64_t level, uint64_t number);

  struct Loaded {
    uint64_t level;
    uint64_t number;
    std::vector<Hash> hashes;
  };
  const Tree& edge_;
  Tree::TileSource tile_;
  std::vector<Loaded> loaded_;
};

// Checks. False for anything but the one right proof: too short, too long, another order, another hash.
bool inclusion_holds(const Hash& leaf, uint64_t seq, uint64_t size, std::span<const Hash> path, const Hash& root);
// old_size 0: every tree extends the empty one, the proof must be empty and old_root the empty root.
bool consistency_holds(uint64_t old_size, const Hash& old_root, uint64_t size, const Hash& root,
                       std::span<const Hash> path);

}  // namespace jw::record
