#include "kernel/record/merkle.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "platform/crypto/api.hpp"

namespace jw::record {
namespace {

// Largest power of two smaller than n; n > 1.
uint64_t split_point(uint64_t n) {
  return std::bit_floor(n - 1);
}

}  // namespace

Hash leaf_hash(std::string_view leaf) {
  thread_local std::string bytes;
  bytes.assign(1, '\0');
  bytes.append(leaf);
  return crypto::sha256(bytes);
}

Hash node_hash(const Hash& left, const Hash& right) {
  std::array<char, 65> bytes;
  bytes[0] = '\x01';
  std::memcpy(bytes.data() + 1, left.data(), left.size());
  std::memcpy(bytes.data() + 33, right.data(), right.size());
  return crypto::sha256(std::string_view(bytes.data(), bytes.size()));
}

Hash empty_root() {
  return crypto::sha256("");
}

std::string_view bytes_of(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::optional<Hash> hash_of(std::string_view bytes) {
  Hash hash;
  if (bytes.size() != hash.size()) return std::nullopt;
  std::memcpy(hash.data(), bytes.data(), hash.size());
  return hash;
}

std::string Tile::bytes() const {
  std::string all;
  all.reserve(hashes.size() * sizeof(Hash));
  for (const Hash& hash : hashes) all.append(bytes_of(hash));
  return all;
}

std::vector<Hash> hashes_of_tile(std::string_view bytes) {
  std::vector<Hash> hashes;
  if (bytes.size() % sizeof(Hash) != 0) return hashes;
  hashes.resize(bytes.size() / sizeof(Hash));
  if (!hashes.empty()) std::memcpy(hashes.data(), bytes.data(), bytes.size());
  return hashes;
}

Hash root_of_complete(std::span<const Hash> hashes) {
  if (!std::has_single_bit(hashes.size())) throw std::invalid_argument("not a complete subtree");
  if (hashes.size() == 1) return hashes[0];
  std::array<Hash, kTileWidth / 2> small{};
  std::vector<Hash> large;
  std::span<Hash> row = small;
  if (hashes.size() > kTileWidth) {
    large.resize(hashes.size() / 2);
    row = large;
  }
  size_t width = hashes.size() / 2;
  for (size_t i = 0; i < width; ++i) row[i] = node_hash(hashes[2 * i], hashes[2 * i + 1]);
  while (width > 1) {
    width /= 2;
    for (size_t i = 0; i < width; ++i) row[i] = node_hash(row[2 * i], row[2 * i + 1]);
  }
  return row[0];
}

Hash Tree::root() const {
  if (peaks_.empty()) return empty_root();
  Hash root = peaks_.back();
  for (size_t i = peaks_.size() - 1; i-- > 0;) root = node_hash(peaks_[i], root);
  return root;
}

void Tree::append(const Hash& leaf, std::vector<Tile>& full) {
  if (edges_.empty()) edges_.emplace_back();
  edges_[0].push_back(leaf);
  Hash hash = leaf;
  unsigned level = 0;
  for (uint64_t rest = size_; (rest & 1U) != 0; rest >>= 1U) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
    if (++level % kTileLevels != 0) continue;
    const size_t above = level / kTileLevels;
    if (edges_.size() == above) edges_.emplace_back();
    Tile tile{above - 1, size_ >> level, {}};
    tile.hashes.swap(edges_[above - 1]);
    full.push_back(std::move(tile));
    edges_[above].push_back(hash);
  }
  peaks_.push_back(hash);
  ++size_;
}

std::span<const Hash> Tree::edge(uint64_t tile_level) const {
  if (tile_level >= edges_.size()) return {};
  return edges_[tile_level];
}

Tree Tree::restore(uint64_t size, std::span<const Hash> leaves, const TileSource& tile) {
  if (leaves.size() != size % kTileWidth)
    throw std::invalid_argument("leaves do not reach from the last tile to the end");
  Tree tree;
  tree.size_ = size;
  for (uint64_t level = 0; size >> (kTileLevels * level) > 0; ++level) {
    std::vector<Hash>& edge = tree.edges_.emplace_back();
    if (level == 0) {
      edge.assign(leaves.begin(), leaves.end());
      continue;
    }
    // The nodes of this level behind its last full tile are the roots of full tiles one level below.
    const uint64_t end = size >> (kTileLevels * level);
    for (uint64_t number = end - end % kTileWidth; number < end; ++number) {
      const std::vector<Hash> hashes = tile(level - 1, number);
      if (hashes.size() != kTileWidth) throw std::runtime_error("a tile is not full");
      edge.push_back(root_of_complete(hashes));
    }
  }
  for (unsigned bit = 64; bit-- > 0;) {
    if (((size >> bit) & 1U) == 0) continue;
    const std::vector<Hash>& edge = tree.edges_[bit / kTileLevels];
    const size_t width = size_t{1} << (bit % kTileLevels);
    // Larger subtrees of the same tile level come first: their widths are the higher bits of what the edge holds.
    const size_t begin = edge.size() & ~(2 * width - 1);
    tree.peaks_.push_back(root_of_complete(std::span(edge).subspan(begin, width)));
  }
  return tree;
}

std::span<const Hash> TreeReader::tile_hashes(uint64_t level, uint64_t number) {
  const uint64_t nodes = edge_.size() >> (kTileLevels * level);
  if (number == nodes / kTileWidth) return edge_.edge(level);
  for (const Loaded& loaded : loaded_) {
    if (loaded.level == level && loaded.number == number) return loaded.hashes;
  }
  loaded_.push_back({level, number, tile_(level, number)});
  if (loaded_.back().hashes.size() != kTileWidth) throw std::runtime_error("a tile is not full");
  return loaded_.back().hashes;
}

Hash TreeReader::node(unsigned level, uint64_t index) {
  const uint64_t tile_level = level / kTileLevels;
  const uint64_t width = uint64_t{1} << (level % kTileLevels);
  const uint64_t first = index * width;
  const std::span<const Hash> hashes = tile_hashes(tile_level, first / kTileWidth);
  return root_of_complete(hashes.subspan(first % kTileWidth, width));
}

Hash TreeReader::subtree(uint64_t begin, uint64_t end) {
  const uint64_t width = end - begin;
  if (std::has_single_bit(width)) return node(static_cast<unsigned>(std::countr_zero(width)), begin / width);
  const uint64_t middle = begin + split_point(width);
  const Hash left = subtree(begin, middle);
  return node_hash(left, subtree(middle, end));
}

Hash TreeReader::root(uint64_t size) {
  if (size > edge_.size()) throw std::out_of_range("the tree is smaller");
  return size == 0 ? empty_root() : subtree(0, size);
}

std::vector<Hash> TreeReader::inclusion(uint64_t seq, uint64_t size) {
  if (seq >= size || size > edge_.size()) throw std::out_of_range("no such leaf in this tree");
  std::vector<Hash> path;
  uint64_t begin = 0;
  uint64_t end = size;
  while (end - begin > 1) {
    const uint64_t middle = begin + split_point(end - begin);
    if (seq < middle) {
      path.push_back(subtree(middle, end));
      end = middle;
    } else {
      path.push_back(subtree(begin, middle));
      begin = middle;
    }
  }
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<Hash> TreeReader::consistency(uint64_t old_size, uint64_t size) {
  if (old_size > size || size > edge_.size()) throw std::out_of_range("the tree is smaller");
  std::vector<Hash> path;
  if (old_size == 0 || old_size == size) return path;
  uint64_t begin = 0;
  uint64_t end = size;
  while (end != old_size) {
    const uint64_t middle = begin + split_point(end - begin);
    if (old_size <= middle) {
      path.push_back(subtree(middle, end));
      end = middle;
    } else {
      path.push_back(subtree(begin, middle));
      begin = middle;
    }
  }
  if (begin != 0) path.push_back(subtree(begin, end));  // else it is the old root, which the asker has
  std::reverse(path.begin(), path.end());
  return path;
}

bool inclusion_holds(const Hash& leaf, uint64_t seq, uint64_t size, std::span<const Hash> path, const Hash& root) {
  if (seq >= size) return false;
  const auto inner = static_cast<unsigned>(std::bit_width(seq ^ (size - 1)));
  const uint64_t above = inner == 64 ? 0 : seq >> inner;
  const auto border = static_cast<unsigned>(std::popcount(above));
  if (path.size() != inner + border) return false;
  Hash hash = leaf;
  for (size_t i = 0; i < path.size(); ++i) {
    const bool is_right = i >= inner || ((seq >> i) & 1U) != 0;
    hash = is_right ? node_hash(path[i], hash) : node_hash(hash, path[i]);
  }
  return hash == root;
}

bool consistency_holds(uint64_t old_size, const Hash& old_root, uint64_t size, const Hash& root,
                       std::span<const Hash> path) {
  if (old_size > size) return false;
  if (old_size == 0) return path.empty() && old_root == empty_root();
  if (old_size == size) return path.empty() && old_root == root;
  // The proof walks up from the last complete subtree of the old tree.
  const auto shift = static_cast<unsigned>(std::countr_zero(old_size));
  const bool seed_is_old_root = old_size == uint64_t{1} << shift;
  const uint64_t last = (old_size - 1) >> shift;
  const auto inner = static_cast<unsigned>(std::bit_width((old_size - 1) ^ (size - 1))) - shift;
  const auto border = static_cast<unsigned>(inner + shift == 64 ? 0 : std::popcount((old_size - 1) >> (inner + shift)));
  const size_t start = seed_is_old_root ? 0 : 1;
  if (path.size() != start + inner + border) return false;
  const Hash seed = seed_is_old_root ? old_root : path[0];
  Hash from_old = seed;
  Hash from_new = seed;
  for (size_t i = 0; i + start < path.size(); ++i) {
    const Hash& sibling = path[i + start];
    if (i >= inner || ((last >> i) & 1U) != 0) {
      from_old = node_hash(sibling, from_old);
      from_new = node_hash(sibling, from_new);
    } else {
      from_new = node_hash(from_new, sibling);  // only the new tree reaches further right
    }
  }
  return from_old == old_root && from_new == root;
}

}  // namespace jw::record
