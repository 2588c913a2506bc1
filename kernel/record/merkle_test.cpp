#include "kernel/record/merkle.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "platform/crypto/api.hpp"

namespace jw::record {
namespace {

std::string hex(const Hash& hash) {
  return crypto::hex(bytes_of(hash));
}

// RFC 6962 §2.1, §2.1.1, §2.1.2 word for word: recursive, over all leaves, no tiles.
namespace naive {

using Leaves = std::span<const Hash>;

size_t k(size_t n) {
  size_t power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}
Hash mth(Leaves d) {
  if (d.empty()) return crypto::sha256("");
  if (d.size() == 1) return d[0];
  return node_hash(mth(d.first(k(d.size()))), mth(d.subspan(k(d.size()))));
}
std::vector<Hash> path(size_t m, Leaves d) {
  if (d.size() == 1) return {};
  const size_t split = k(d.size());
  std::vector<Hash> p = m < split ? path(m, d.first(split)) : path(m - split, d.subspan(split));
  p.push_back(m < split ? mth(d.subspan(split)) : mth(d.first(split)));
  return p;
}
std::vector<Hash> subproof(size_t m, Leaves d, bool known) {
  if (m == d.size()) return known ? std::vector<Hash>{} : std::vector<Hash>{mth(d)};
  const size_t split = k(d.size());
  std::vector<Hash> p = m <= split ? subproof(m, d.first(split), known) : subproof(m - split, d.subspan(split), false);
  p.push_back(m <= split ? mth(d.subspan(split)) : mth(d.first(split)));
  return p;
}

}  // namespace naive

// A tree whose tiles are kept in memory.
struct World {
  Tree tree;
  std::vector<Hash> leaves;
  std::map<std::pair<uint64_t, uint64_t>, std::vector<Hash>> tiles;

  void add(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      leaves.push_back(leaf_hash("leaf " + std::to_string(leaves.size())));
      std::vector<Tile> full;
      tree.append(leaves.back(), full);
      for (Tile& tile : full) {
        EXPECT_EQ(tile.hashes.size(), kTileWidth);
        EXPECT_TRUE(tiles.emplace(std::pair(tile.level, tile.number), hashes_of_tile(tile.bytes())).second);
      }
    }
  }
  Tree::TileSource source() const {
    return [this](uint64_t level, uint64_t number) { return tiles.at({level, number}); };
  }
  TreeReader reader() const { return {tree, source()}; }
};

TEST(MerkleTest, CertificateTransparencyVectors) {  // the roots of the CT reference implementation's test tree
  const char* leaves[] = {
      "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
  const char* roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Tree tree;
  EXPECT_EQ(hex(tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  std::vector<Tile> full;
  for (size_t i = 0; i < 8; ++i) {
    tree.append(leaf_hash(crypto::unhex(leaves[i]).value()), full);
    EXPECT_EQ(hex(tree.root()), roots[i]) << i + 1;
  }
  EXPECT_TRUE(full.empty());
}

TEST(MerkleTest, RootAndEveryProofOfSmallTreesEqualTheDefinition) {
  World world;
  for (size_t n = 1; n <= 70; ++n) {
    world.add(1);
    const std::span<const Hash> all = world.leaves;
    const Hash root = world.tree.root();
    ASSERT_EQ(root, naive::mth(all));
    TreeReader reader = world.reader();
    for (size_t m = 0; m < n; ++m) {
      const std::vector<Hash> path = reader.inclusion(m, n);
      ASSERT_EQ(path, naive::path(m, all));
      ASSERT_TRUE(inclusion_holds(all[m], m, n, path, root));
    }
    for (size_t m = 1; m <= n; ++m) {
      const std::vector<Hash> path = reader.consistency(m, n);
      ASSERT_EQ(path, naive::subproof(m, all, true));
      ASSERT_TRUE(consistency_holds(m, naive::mth(all.first(m)), n, root, path));
    }
  }
}

TEST(MerkleTest, LargeTreesWithTilesEqualTheDefinition) {
  World world;
  std::mt19937_64 random(20261123);
  for (const size_t grow : {255U, 1U, 1U, 255U, 3000U, 61'000U, 1023U, 1U, 1U, 4000U}) {
    world.add(grow);
    const std::span<const Hash> all = world.leaves;
    const size_t n = all.size();
    TreeReader reader = world.reader();
    ASSERT_EQ(world.tree.root(), naive::mth(all));
    for (int i = 0; i < 6; ++i) {
      const size_t size = i == 0 ? n : 1 + random() % n;
      const size_t m = i == 1 ? size - 1 : random() % size;
      const Hash root = naive::mth(all.first(size));
      ASSERT_EQ(reader.root(size), root) << size;
      const std::vector<Hash> path = reader.inclusion(m, size);
      ASSERT_EQ(path, naive::path(m, all.first(size))) << m << " in " << size;
      ASSERT_TRUE(inclusion_holds(all[m], m, size, path, root));
      const std::vector<Hash> proof = reader.consistency(m + 1, size);
      ASSERT_EQ(proof, naive::subproof(m + 1, all.first(size), true)) << m + 1 << " to " << size;
      ASSERT_TRUE(consistency_holds(m + 1, naive::mth(all.first(m + 1)), size, root, proof));
    }
  }
  EXPECT_EQ(world.leaves.size() / kTileWidth + 1, world.tiles.size()) << "level 0 and one tile of level 1";
}

TEST(MerkleTest, ARestoredTreeGoesOnLikeTheOneThatWasThere) {
  World world;
  for (const size_t grow : {0U, 1U, 200U, 55U, 1U, 300U, 65'000U, 200U}) {
    world.add(grow);
    const size_t size = world.leaves.size();
    const std::span<const Hash> tail = std::span<const Hash>(world.leaves).subspan(size - size % kTileWidth);
    Tree restored = Tree::restore(size, tail, world.source());
    EXPECT_EQ(restored.root(), world.tree.root());
    World other = world;
    other.tree = std::move(restored);
    World same = world;
    for (int i = 0; i < 600; ++i) {
      other.add(1);
      same.add(1);
      ASSERT_EQ(other.tree.root(), same.tree.root());
    }
    EXPECT_EQ(other.tiles, same.tiles);
  }
  EXPECT_THROW(Tree::restore(3, {}, world.source()), std::invalid_argument);
  EXPECT_THROW(Tree::restore(256, {}, [](auto, auto) { return std::vector<Hash>(255); }), std::runtime_error);
}

// Every proof that is not exactly the right one must be refused.
template <class Check>
void refuses_all_but(const std::vector<Hash>& right, const Check& holds) {
  ASSERT_TRUE(holds(right));
  for (size_t i = 0; i < right.size(); ++i) {
    ASSERT_FALSE(holds({right.begin(), right.begin() + static_cast<ptrdiff_t>(i)})) << "cut to " << i;
    std::vector<Hash> without = right;
    without.erase(without.begin() + static_cast<ptrdiff_t>(i));
    ASSERT_FALSE(holds(without)) << "without " << i;
    for (size_t bit = 0; bit < 256; bit += 1) {
      std::vector<Hash> flipped = right;
      flipped[i][bit / 8] = static_cast<uint8_t>(flipped[i][bit / 8] ^ (1U << (bit % 8)));
      ASSERT_FALSE(holds(flipped)) << "bit " << bit << " of hash " << i;
    }
    for (size_t j = i + 1; j < right.size(); ++j) {
      std::vector<Hash> swapped = right;
      std::swap(swapped[i], swapped[j]);
      ASSERT_FALSE(holds(swapped)) << "swapped " << i << ' ' << j;
    }
  }
  for (size_t i = 0; i <= right.size(); ++i) {
    std::vector<Hash> longer = right;
    longer.insert(longer.begin() + static_cast<ptrdiff_t>(i), i < right.size() ? right[i] : Hash{});
    ASSERT_FALSE(holds(longer)) << "one more at " << i;
  }
}

TEST(MerkleTest, WrongInclusionProofsAreRefused) {
  World world;
  world.add(600);
  TreeReader reader = world.reader();
  for (const uint64_t size : {1U, 2U, 3U, 5U, 7U, 8U, 64U, 255U, 257U, 600U}) {
    const Hash root = reader.root(size);
    for (const uint64_t seq : {uint64_t{0}, size / 2, size - 1}) {
      const std::vector<Hash> path = reader.inclusion(seq, size);
      refuses_all_but(
          path, [&](const std::vector<Hash>& p) { return inclusion_holds(world.leaves[seq], seq, size, p, root); });
      EXPECT_FALSE(inclusion_holds(world.leaves[(seq + 1) % 600], seq, size, path, root));
      EXPECT_FALSE(inclusion_holds(world.leaves[seq], size, size, path, root));
      EXPECT_FALSE(inclusion_holds(world.leaves[seq], seq, 0, path, root));
      EXPECT_FALSE(inclusion_holds(world.leaves[seq], ~uint64_t{0}, size, path, root));
      if (seq > 0) {
        EXPECT_FALSE(inclusion_holds(world.leaves[seq], seq - 1, size, path, root));
      }
      Hash other = root;
      other[31] ^= 1;
      EXPECT_FALSE(inclusion_holds(world.leaves[seq], seq, size, path, other));
    }
  }
}

TEST(MerkleTest, WrongConsistencyProofsAreRefused) {
  World world;
  world.add(600);
  TreeReader reader = world.reader();
  const std::pair<uint64_t, uint64_t> sizes[] = {{1, 1},    {1, 2},     {2, 3},     {3, 7},     {4, 7},    {6, 8},
                                                 {64, 128}, {255, 600}, {256, 600}, {511, 600}, {599, 600}};
  for (const auto& [old_size, size] : sizes) {
    const Hash old_root = reader.root(old_size);
    const Hash root = reader.root(size);
    const std::vector<Hash> path = reader.consistency(old_size, size);
    refuses_all_but(path, [&, m = old_size, n = size](const std::vector<Hash>& p) {
      return consistency_holds(m, old_root, n, root, p);
    });
    Hash other = root;
    other[0] ^= 0x80;
    EXPECT_FALSE(consistency_holds(old_size, old_root, size, other, path));
    EXPECT_FALSE(consistency_holds(old_size, other, size, root, path));
    EXPECT_FALSE(consistency_holds(size + 1, old_root, size, root, path));
    if (old_size != size) {
      EXPECT_FALSE(consistency_holds(old_size - 1, old_root, size, root, path));
    }
  }
  EXPECT_TRUE(consistency_holds(0, empty_root(), 600, reader.root(600), {}));
  EXPECT_FALSE(consistency_holds(0, reader.root(1), 600, reader.root(600), {}));
  EXPECT_FALSE(consistency_holds(0, empty_root(), 600, reader.root(600), reader.consistency(1, 600)));
  EXPECT_TRUE(reader.consistency(0, 600).empty());
  EXPECT_THROW(reader.consistency(5, 601), std::out_of_range);
  EXPECT_THROW(reader.consistency(6, 5), std::out_of_range);
  EXPECT_THROW(reader.inclusion(5, 5), std::out_of_range);
  EXPECT_THROW(reader.inclusion(5, 601), std::out_of_range);
}

TEST(MerkleTest, SizesNearTheEndOfTheNumbersDoNotBreakTheChecks) {
  const Hash hash = leaf_hash("x");
  const std::vector<Hash> path(64, hash);
  EXPECT_FALSE(inclusion_holds(hash, ~uint64_t{0} - 1, ~uint64_t{0}, path, hash));
  EXPECT_FALSE(inclusion_holds(hash, 0, ~uint64_t{0}, path, hash));
  EXPECT_FALSE(consistency_holds(1, hash, ~uint64_t{0}, hash, path));
  EXPECT_FALSE(consistency_holds(~uint64_t{0} - 1, hash, ~uint64_t{0}, hash, path));
  EXPECT_FALSE(consistency_holds(uint64_t{1} << 63, hash, ~uint64_t{0}, hash, path));
}

TEST(MerkleTest, TilesOfOddLengthAreNotTiles) {
  EXPECT_TRUE(hashes_of_tile(std::string(31, 'x')).empty());
  EXPECT_EQ(hashes_of_tile(std::string(64, 'x')).size(), 2U);
  EXPECT_EQ(hash_of(std::string(31, 'x')), std::nullopt);
  EXPECT_THROW(root_of_complete(std::vector<Hash>(3)), std::invalid_argument);
}

}  // namespace
}  // namespace jw::record
