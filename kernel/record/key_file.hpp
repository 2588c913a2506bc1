// The key that signs checkpoints, in a file outside the database: whoever can write the tables cannot sign. 64 hex
// digits and a line feed, mode 0600; a second such line is the key of signed steps that a store of an older version
// held itself (record::step_seed). Inside kernel/record only.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace jw::record {

// Durable when it returns. A file that is there with another key steps aside under the name of its public key. Throws
// std::runtime_error for an empty name or when it cannot be written.
void make_key_file(const std::string& file, std::string_view seed);
// The 32 bytes. Throws std::runtime_error when it is absent, unreadable, or open to others than its owner.
std::string read_key_file(const std::string& file);

}  // namespace jw::record
