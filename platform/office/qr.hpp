// QR codes (GB/T 18284) as modules, for pages that draw them themselves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jw::office {

// Rows of '0' and '1', dark is 1, without the quiet zone of four modules around it. Error correction M. Empty when the
// text is longer than a QR code holds (2,331 bytes).
std::vector<std::string> qr_rows(std::string_view text);

}  // namespace jw::office
