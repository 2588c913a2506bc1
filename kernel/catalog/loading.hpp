// What the parts of the loader share while a catalogue is being read. Internal to kernel/catalog.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernel/catalog/source.hpp"

namespace jw::catalog {

struct Loading {
  const SourceFiles& files;
  const TableNames& kernel_tables;
  std::span<const CodeSet> made = {};
  Catalogue catalogue{};
  Problems problems{};
  std::vector<Node> nodes{};    // one per dataset, in the order of Catalogue::datasets
  std::vector<Table> tables{};  // the same, as top tables
  Node relation_file{};
  std::vector<Table> relation_tables{};    // one per relation; the built-in one may have none
  std::set<std::pair<int, int>> broken{};  // fields whose type could not be read: one problem is enough

  Dataset& dataset(size_t index) { return catalogue.datasets[index]; }
};

// In this order: each needs what the ones before resolved.
void load_code_sets(Loading& loading);
void load_modules(Loading& loading);
void declare_datasets(Loading& loading);
void declare_relations(Loading& loading);
void load_fields(Loading& loading);  // own fields
void load_keys(Loading& loading);
void load_lookups(Loading& loading);
void load_subjects(Loading& loading);  // about, relations of each dataset
void load_lists(Loading& loading);     // order, show, indexes
void load_relations(Loading& loading);
void load_checks(Loading& loading);
void load_aparts(Loading& loading);

// Fields along "a.b.c" from `dataset`: refs, and the last one `last` (any field) or a ref as well. Adds a problem and
// gives nothing when a name is wrong. Lookups are not followed.
std::optional<std::vector<int>> follow(Loading& loading, size_t dataset, const Word& path, bool last_is_ref);

bool is_reserved_field(std::string_view name);
std::vector<std::string> field_names(const Dataset& dataset);
std::string digest_of(const Catalogue& catalogue);

}  // namespace jw::catalog
