#include "platform/office/qr.hpp"

#include <qrencode.h>

#include <memory>

namespace jw::office {

std::vector<std::string> qr_rows(std::string_view text) {
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
      QRcode_encodeData(static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.data()), 0,
                        QR_ECLEVEL_M),
      &QRcode_free);
  std::vector<std::string> rows;
  if (!code) return rows;
  const auto width = static_cast<size_t>(code->width);
  for (size_t y = 0; y < width; ++y) {
    std::string& row = rows.emplace_back(width, '0');
    for (size_t x = 0; x < width; ++x) {
      if ((code->data[y * width + x] & 1U) != 0) row[x] = '1';
    }
  }
  return rows;
}

}  // namespace jw::office
