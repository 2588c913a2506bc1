#include "platform/office/letter.hpp"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <qrencode.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "base/text.hpp"

namespace jw::office {

namespace {

// Points (1/72 inch). A4, margins as official papers have them (GB/T 9704-2012 in spirit: wide left and top).
constexpr double kWidth = 595.28, kHeight = 841.89, kLeft = 79, kRight = 74, kTop = 88, kBottom = 110;
constexpr double kInner = kWidth - kLeft - kRight, kFloor = kHeight - kBottom;
constexpr double kBody = 15, kPitch = 27, kGridSize = 11, kGridPitch = 17, kPad = 6, kLabel = 78, kQr = 62;

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* thing) const { Free(thing); }
};
using Layout = std::unique_ptr<PangoLayout, decltype([](PangoLayout* p) { g_object_unref(p); })>;
using Surface = std::unique_ptr<cairo_surface_t, Freed<cairo_surface_t, cairo_surface_destroy>>;
using Context = std::unique_ptr<cairo_t, Freed<cairo_t, cairo_destroy>>;
using Font = std::unique_ptr<PangoFontDescription, Freed<PangoFontDescription, pango_font_description_free>>;
using QrCode = std::unique_ptr<QRcode, Freed<QRcode, QRcode_free>>;

cairo_status_t append(void* out, const unsigned char* bytes, unsigned int count) {
  static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(bytes), count);
  return CAIRO_STATUS_SUCCESS;
}

// Positions first, ink afterwards: how many pages there are is known only at the end.
class Setting {
 public:
  explicit Setting(cairo_t* cairo) : cairo_(cairo) { pages_.emplace_back(); }

  void set(const Sheet& sheet) {
    y_ = kTop;
    if (!sheet.head.empty()) head(sheet);
    if (sheet.head.empty() && !sheet.number.empty())
      text_at(layout("编号：" + sheet.number, 10, kInner), kLeft, kTop - 34);
    title(sheet.title);
    for (const auto& block : sheet.blocks) {
      std::visit([this](const auto& each) { this->block(each); }, block);
    }
  }

  void draw(const Sheet& sheet) {
    for (size_t page = 0; page < pages_.size(); ++page) {
      for (const auto& ink : pages_[page]) ink();
      foot(sheet, page + 1);
      cairo_show_page(cairo_);
    }
  }

  size_t pages() const { return pages_.size(); }

 private:
  Layout layout(const std::string& text, double size, double width, bool bold = false) const {
    Layout made(pango_cairo_create_layout(cairo_));
    const Font font(pango_font_description_new());
    pango_font_description_set_family_static(font.get(), "Noto Serif CJK SC,Noto Sans CJK SC,serif");
    pango_font_description_set_absolute_size(font.get(), size * PANGO_SCALE);
    if (bold) pango_font_description_set_weight(font.get(), PANGO_WEIGHT_BOLD);
    pango_layout_set_font_description(made.get(), font.get());
    pango_layout_set_text(made.get(), text.data(), static_cast<int>(text.size()));
    pango_layout_set_width(made.get(), static_cast<int>(width * PANGO_SCALE));
    pango_layout_set_wrap(made.get(), PANGO_WRAP_WORD_CHAR);
    return made;
  }

  void ink(std::function<void()> draws) { pages_.back().push_back(std::move(draws)); }

  void turn_page() {
    pages_.emplace_back();
    y_ = kTop;
  }

  static double height_of(const Layout& text) {
    int height = 0;
    pango_layout_get_pixel_size(text.get(), nullptr, &height);
    return height;
  }

  // Lives as long as the drawing does: shared by the closures.
  void text_at(Layout text, double x, double y) {
    ink([this, text = std::shared_ptr<PangoLayout>(text.release(), g_object_unref), x, y] {
      cairo_move_to(cairo_, x, y);
      pango_cairo_show_layout(cairo_, text.get());
    });
  }

  // Lines [from, to) of a layout, one every `pitch`.
  void lines_at(const std::shared_ptr<PangoLayout>& text, int from, int to, double x, double y, double pitch) {
    ink([this, text, from, to, x, y, pitch] {
      for (int line = from; line < to; ++line) {
        PangoRectangle logical;
        PangoLayoutLine* set = pango_layout_get_line_readonly(text.get(), line);
        pango_layout_line_get_extents(set, nullptr, &logical);
        const bool centred = pango_layout_get_alignment(text.get()) == PANGO_ALIGN_CENTER;
        const double slack = pango_layout_get_width(text.get()) - logical.width;
        cairo_move_to(cairo_, x + (centred ? slack / 2 / PANGO_SCALE : 0), y + (line - from) * pitch + pitch * 0.72);
        pango_cairo_show_layout_line(cairo_, set);
      }
    });
  }

  void rule(double x0, double y0, double x1, double y1, double width, bool red = false) {
    ink([this, x0, y0, x1, y1, width, red] {
      cairo_save(cairo_);
      if (red) cairo_set_source_rgb(cairo_, 0.8, 0.05, 0.08);
      cairo_set_line_width(cairo_, width);
      cairo_move_to(cairo_, x0, y0);
      cairo_line_to(cairo_, x1, y1);
      cairo_stroke(cairo_);
      cairo_restore(cairo_);
    });
  }

  void head(const Sheet& sheet) {
    Layout text = layout(sheet.head, 26, kInner, true);
    pango_layout_set_alignment(text.get(), PANGO_ALIGN_CENTER);
    const double height = height_of(text);
    ink([this, shared = std::shared_ptr<PangoLayout>(text.release(), g_object_unref)] {
      cairo_save(cairo_);
      cairo_set_source_rgb(cairo_, 0.8, 0.05, 0.08);
      cairo_move_to(cairo_, kLeft, kTop - 24);
      pango_cairo_show_layout(cairo_, shared.get());
      cairo_restore(cairo_);
    });
    y_ = kTop - 24 + height + 10;
    if (!sheet.number.empty()) {
      Layout number = layout(sheet.number, 12, kInner);
      pango_layout_set_alignment(number.get(), PANGO_ALIGN_CENTER);
      const double number_height = height_of(number);
      text_at(std::move(number), kLeft, y_);
      y_ += number_height + 6;
    }
    rule(kLeft, y_, kWidth - kRight, y_, 1.6, true);
    y_ += 26;
  }

  void title(const std::string& words) {
    if (words.empty()) return;
    Layout text = layout(words, 20, kInner, true);
    pango_layout_set_alignment(text.get(), PANGO_ALIGN_CENTER);
    const double height = height_of(text);
    text_at(std::move(text), kLeft, y_);
    y_ += height + 18;
  }

  void block(const Paragraph& paragraph) {
    Layout made = layout(paragraph.text, kBody, kInner);
    if (paragraph.indent) pango_layout_set_indent(made.get(), static_cast<int>(2 * kBody * PANGO_SCALE));
    const std::shared_ptr<PangoLayout> text(made.release(), g_object_unref);
    const int count = pango_layout_get_line_count(text.get());
    const double first = paragraph.indent ? 2 * kBody : 0;
    for (int line = 0; line < count;) {
      if (y_ + kPitch > kFloor) turn_page();
      const int fit = std::min(count - line, static_cast<int>((kFloor - y_) / kPitch));
      // Pango indents the first line within the layout's own placing, not in a line shown alone.
      if (line == 0) {
        lines_at(text, 0, 1, kLeft + first, y_, kPitch);
        if (fit > 1) lines_at(text, 1, fit, kLeft, y_ + kPitch, kPitch);
      } else {
        lines_at(text, line, line + fit, kLeft, y_, kPitch);
      }
      y_ += fit * kPitch;
      line += fit;
    }
  }

  void block(const Grid& grid) {
    y_ += 6;
    for (const auto& row : grid.rows) grid_row(row);
    y_ += 14;
  }

  void grid_row(const std::vector<Grid::Cell>& row) {
    if (row.empty()) return;
    struct Column {
      double x, width;
      std::shared_ptr<PangoLayout> label, value;
      int shown = 0, lines = 0;
    };
    std::vector<Column> columns;
    const double share = kInner / static_cast<double>(row.size());
    int most = 1;
    for (size_t i = 0; i < row.size(); ++i) {
      const double value_width = share - kLabel - 2 * kPad;
      Layout label = layout(row[i].label, kGridSize, kLabel - 2 * kPad, true);
      pango_layout_set_alignment(label.get(), PANGO_ALIGN_CENTER);
      Layout value = layout(row[i].value, kGridSize, value_width);
      Column column{kLeft + share * static_cast<double>(i), share,
                    std::shared_ptr<PangoLayout>(label.release(), g_object_unref),
                    std::shared_ptr<PangoLayout>(value.release(), g_object_unref)};
      column.lines = pango_layout_get_line_count(column.value.get());
      most = std::max({most, column.lines, pango_layout_get_line_count(column.label.get())});
      columns.push_back(std::move(column));
    }
    bool first = true;
    while (most > 0) {
      if (y_ + kGridPitch + 2 * kPad > kFloor) turn_page();
      const int fit = std::min(most, static_cast<int>((kFloor - y_ - 2 * kPad) / kGridPitch));
      const double height = fit * kGridPitch + 2 * kPad;
      for (Column& column : columns) {
        rule(column.x, y_, column.x, y_ + height, 0.6);
        rule(column.x + kLabel, y_, column.x + kLabel, y_ + height, 0.6);
        rule(column.x, y_, column.x + column.width, y_, 0.6);
        rule(column.x, y_ + height, column.x + column.width, y_ + height, 0.6);
        rule(column.x + column.width, y_, column.x + column.width, y_ + height, 0.6);
        if (first) {
          const int labels = pango_layout_get_line_count(column.label.get());
          const double down = (height - labels * kGridPitch) / 2;
          lines_at(column.label, 0, std::min(labels, fit), column.x + kPad, y_ + std::max(down, kPad), kGridPitch);
        }
        const int now = std::min(column.lines - column.shown, fit);
        const double down = first && column.lines <= fit ? (height - column.lines * kGridPitch) / 2 : kPad;
        if (now > 0)
          lines_at(column.value, column.shown, column.shown + now, column.x + kLabel + kPad, y_ + down, kGridPitch);
        column.shown += std::max(now, 0);
      }
      y_ += height;
      most -= fit;
      first = false;
    }
  }

  void block(const Closing& closing) {
    if (y_ + 3 * kPitch > kFloor) turn_page();
    y_ += kPitch;
    for (const std::string* words : {&closing.from, &closing.date}) {
      Layout text = layout(*words, kBody, kInner * 0.5);
      pango_layout_set_alignment(text.get(), PANGO_ALIGN_CENTER);
      const double height = height_of(text);
      text_at(std::move(text), kLeft + kInner * 0.5, y_);
      y_ += std::max(kPitch, height);
    }
  }

  void foot(const Sheet& sheet, size_t page) {
    const double y = kHeight - 84;
    const std::string count = "第 " + std::to_string(page) + " 页　共 " + std::to_string(pages_.size()) + " 页";
    cairo_set_line_width(cairo_, 0.4);
    cairo_move_to(cairo_, kLeft, y - 8);
    cairo_line_to(cairo_, kWidth - kRight, y - 8);
    cairo_stroke(cairo_);
    double x = kLeft;
    if (!sheet.url.empty()) {
      qr(sheet.url, kLeft, y);
      x += kQr + 12;
    }
    std::string words;
    if (!sheet.code.empty()) words += "验证码　" + sheet.code + "\n";
    if (!sheet.url.empty()) words += "核验　" + sheet.url + "\n";
    if (!sheet.code.empty()) words += "任何人可凭验证码或扫描二维码核验本件真伪；改动过的文件核验不会通过。\n";
    words += count;
    const Layout text = layout(words, 8.5, kWidth - kRight - x);
    pango_layout_set_spacing(text.get(), static_cast<int>(2.5 * PANGO_SCALE));
    cairo_move_to(cairo_, x, y);
    pango_cairo_show_layout(cairo_, text.get());
  }

  void qr(const std::string& url, double x, double y) {
    const QrCode code(QRcode_encodeString8bit(url.c_str(), 0, QR_ECLEVEL_M));
    if (!code) throw std::runtime_error("the QR code cannot be made");
    const double module = kQr / code->width;
    for (int row = 0; row < code->width; ++row) {
      for (int column = 0; column < code->width; ++column) {
        if ((code->data[row * code->width + column] & 1U) != 0)
          cairo_rectangle(cairo_, x + column * module, y + row * module, module, module);
      }
    }
    cairo_fill(cairo_);
  }

  cairo_t* cairo_;
  double y_ = kTop;
  std::vector<std::vector<std::function<void()>>> pages_;
};

Result<Done> check_text(size_t& bytes, std::initializer_list<const std::string*> texts) {
  for (const std::string* text : texts) {
    bytes += text->size();
    const bool control = std::any_of(text->begin(), text->end(), [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f;
    });
    if (!is_valid_utf8(*text) || control) {
      return Refusal{jw::Code::unprocessable,
                     "office.sheet_invalid",
                     {"文字含有不能打印的字符", "the text has characters that cannot be printed"}};
    }
  }
  return Done{};
}

Result<Done> check(const Sheet& sheet) {
  size_t bytes = 0;
  JW_CHECK(check_text(bytes, {&sheet.head, &sheet.number, &sheet.title, &sheet.code, &sheet.url}));
  for (const auto& block : sheet.blocks) {
    if (const auto* paragraph = std::get_if<Paragraph>(&block)) JW_CHECK(check_text(bytes, {&paragraph->text}));
    if (const auto* closing = std::get_if<Closing>(&block))
      JW_CHECK(check_text(bytes, {&closing->from, &closing->date}));
    if (const auto* grid = std::get_if<Grid>(&block)) {
      for (const auto& row : grid->rows) {
        for (const Grid::Cell& cell : row) JW_CHECK(check_text(bytes, {&cell.label, &cell.value}));
      }
    }
  }
  if (bytes <= kSheetBytesMax) return Done{};
  return Refusal{jw::Code::too_large, "office.sheet_too_large", {"文件太长", "the document is too long"}};
}

}  // namespace

Result<std::string> pdf_of(const Sheet& sheet) {
  JW_CHECK(check(sheet));
  static std::mutex mutex;  // fonts are shared by all threads of a process
  const std::lock_guard lock(mutex);
  std::string bytes;
  {
    const Surface surface(cairo_pdf_surface_create_for_stream(append, &bytes, kWidth, kHeight));
    // GB/T 7408: the date of the sheet, never that of the machine.
    const std::string made = sheet.made.print();
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, made.c_str());
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_TITLE, sheet.title.c_str());
    const Context cairo(cairo_create(surface.get()));
    Setting setting(cairo.get());
    setting.set(sheet);
    if (setting.pages() > kSheetPagesMax)
      return Refusal{jw::Code::too_large, "office.sheet_too_large", {"文件太长", "the document is too long"}};
    setting.draw(sheet);
    cairo_surface_finish(surface.get());
    if (const cairo_status_t status = cairo_surface_status(surface.get()); status != CAIRO_STATUS_SUCCESS)
      throw std::runtime_error(std::string("cairo: ") + cairo_status_to_string(status));
  }
  return bytes;
}

}  // namespace jw::office
