// Inside kernel/identity only.
#pragma once

#include <string_view>

namespace jw::identity {

// Whether a password (NFKC) is one of those that everybody tries first: in the list, or a word of the list with a short
// tail of digits and signs, letters swapped for look-alikes, one character or block over and over, a plain run of
// digits, letters or keys.
bool is_common_password(std::string_view password);

}  // namespace jw::identity
