// The built web app, out of memory: what was not read at start cannot be asked for, so no path leads out of the folder.
#include <zlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <unordered_map>

#include "base/text.hpp"
#include "platform/crypto/api.hpp"
#include "platform/http/api.hpp"
#include "platform/http/parser.hpp"
#include "platform/log/api.hpp"

namespace jw::http {
namespace {

namespace fs = std::filesystem;
using Bytes = std::shared_ptr<const std::string>;

struct Kind {
  std::string_view ending, type;
  bool is_text;
};
constexpr std::array<Kind, 21> kKinds{{
    {".html", "text/html; charset=utf-8", true},
    {".js", "text/javascript; charset=utf-8", true},
    {".mjs", "text/javascript; charset=utf-8", true},
    {".css", "text/css; charset=utf-8", true},
    {".json", "application/json; charset=utf-8", true},
    {".map", "application/json; charset=utf-8", true},
    {".webmanifest", "application/manifest+json", true},
    {".svg", "image/svg+xml", true},
    {".txt", "text/plain; charset=utf-8", true},
    {".xml", "application/xml; charset=utf-8", true},
    {".wasm", "application/wasm", true},
    {".ttf", "font/ttf", true},
    {".png", "image/png", false},
    {".jpg", "image/jpeg", false},
    {".jpeg", "image/jpeg", false},
    {".gif", "image/gif", false},
    {".webp", "image/webp", false},
    {".avif", "image/avif", false},
    {".ico", "image/x-icon", false},
    {".woff2", "font/woff2", false},
    {".pdf", "application/pdf", false},
}};
constexpr Kind kOther{"", "application/octet-stream", false};

const Kind& kind_of(std::string_view name) {
  for (const Kind& kind : kKinds) {
    if (name.ends_with(kind.ending)) return kind;
  }
  return kOther;
}

std::string gzip(const std::string& plain) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("gzip cannot begin");
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(plain.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("gzip did not end");
  return out;
}

struct File {
  Bytes plain, packed;  // `packed` is null when it would not be smaller
  std::string_view type;
  std::string tag, packed_tag;
  bool is_immutable;
};

class Site {
 public:
  Site(const std::string& folder, Problem problem, const StaticOptions& options)
      : problem_(std::move(problem)), options_(options) {
    std::error_code ec;
    const fs::path root = fs::canonical(folder, ec);
    if (ec) throw std::runtime_error("web folder cannot be read: " + folder);
    int refused = 0;
    for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator(); ++at) {
      if (is_hidden(*at)) {
        if (at->is_directory()) at.disable_recursion_pending();
        continue;
      }
      if (!at->is_regular_file()) continue;  // follows a link to a file, not to a folder
      if (!is_inside(root, fs::canonical(at->path()))) {
        ++refused;
        continue;
      }
      add(at->path().lexically_relative(root).generic_string(), at->path());
    }
    if (refused != 0) log::warning("http.links_leave_web_folder", {{"count", refused}});
    if (!files_.contains("index.html")) throw std::runtime_error("web folder has no index.html: " + folder);
  }

  Response answer(const Request& request) const {
    const File* file = find(request.path);
    if (file != nullptr && request.verb != Verb::get) {
      Response response = refuse(fault::kWrongVerb, request);
      response.headers.emplace_back("Allow", "GET, HEAD");
      return response;
    }
    return file != nullptr ? send(*file, request) : refuse(fault::kNotFound, request);
  }

 private:
  static bool is_hidden(const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    return name.front() == '.' && name != ".well-known";
  }

  static bool is_inside(const fs::path& root, const fs::path& path) {
    const auto ends = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
    return ends.first == root.end();
  }

  void add(const std::string& name, const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) throw std::runtime_error("web file cannot be read: " + name);
    const Kind& kind = kind_of(name);
    File file{.plain = std::make_shared<const std::string>(text.str()),
              .packed = nullptr,
              .type = kind.type,
              .tag = {},
              .packed_tag = {},
              .is_immutable = name.starts_with("assets/")};
    const std::string digest = crypto::hex(crypto::sha256(*file.plain)).substr(0, 20);
    file.tag = '"' + digest + '"';
    file.packed_tag = '"' + digest + "-gz\"";
    if (kind.is_text && file.plain->size() >= options_.gzip_from) {
      std::string packed = gzip(*file.plain);
      if (packed.size() < file.plain->size()) file.packed = std::make_shared<const std::string>(std::move(packed));
    }
    files_.emplace(name, std::move(file));
  }

  const File* find(std::string_view path) const {
    path.remove_prefix(1);
    std::string name(path);
    if (name.empty() || name.back() == '/') name += "index.html";
    if (const auto found = files_.find(name); found != files_.end()) return &found->second;
    const std::string_view last = path.substr(path.rfind('/') + 1);
    return last.find('.') == std::string_view::npos && is_page(path) ? &files_.at("index.html") : nullptr;
  }

  bool is_page(std::string_view path) const {
    for (const std::string& prefix : options_.not_pages) {
      const std::string_view own = std::string_view(prefix).substr(1);
      if (path.starts_with(own) && (path.size() == own.size() || path[own.size()] == '/')) return false;
    }
    return true;
  }

  Response refuse(const Fault& fault, const Request& request) const {
    return problem_(fault.refusal(), fault.status, request.id);
  }

  static bool takes_gzip(std::string_view accepted) {
    for (const std::string_view part : split(accepted, ',')) {
      const size_t semicolon = part.find(';');
      const std::string_view coding = trim(part.substr(0, semicolon));
      if (coding != "gzip" && coding != "*") continue;
      if (semicolon == std::string_view::npos) return true;
      const std::string_view weight = trim(part.substr(semicolon + 1));
      return weight.find_first_of("123456789") != std::string_view::npos;
    }
    return false;
  }

  static bool has_tag(std::string_view wanted, const std::string& tag) {
    for (std::string_view one : split(wanted, ',')) {
      one = trim(one);
      if (one.starts_with("W/")) one.remove_prefix(2);
      if (one == tag || one == "*") return true;
    }
    return false;
  }

  static Response send(const File& file, const Request& request) {
    const bool is_packed = file.packed != nullptr && takes_gzip(request.header("accept-encoding"));
    const std::string& tag = is_packed ? file.packed_tag : file.tag;
    Response response;
    response.content_type = file.type;
    response.headers = {{"ETag", tag},
                        {"Cache-Control", file.is_immutable ? "public, max-age=31536000, immutable" : "no-cache"}};
    if (file.packed != nullptr) response.headers.emplace_back("Vary", "Accept-Encoding");
    if (has_tag(request.header("if-none-match"), tag)) {
      response.status = 304;
      return response;
    }
    if (is_packed) response.headers.emplace_back("Content-Encoding", "gzip");
    response.shared_body = is_packed ? file.packed : file.plain;
    return response;
  }

  Problem problem_;
  StaticOptions options_;
  std::unordered_map<std::string, File> files_;
};

}  // namespace

Handler static_files(const std::string& folder, Problem problem, const StaticOptions& options) {
  auto site = std::make_shared<const Site>(folder, std::move(problem), options);
  return [site](Request request, Respond respond) { respond(site->answer(request)); };
}

}  // namespace jw::http
