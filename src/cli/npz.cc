// Zip archives, as far as numpy writes them.
#include <zlib.h>

#include <cstring>

#include "cli/npy.h"
#include "cli/python_error.h"

namespace savedmodel::cli {
namespace {

constexpr uint64_t kMaxMember = uint64_t{1} << 30;

uint32_t Number(absl::string_view bytes, size_t at, int size) {
  uint32_t value = 0;
  for (int i = 0; i < size; ++i) value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + static_cast<size_t>(i)])) << (8 * i);
  return value;
}

absl::Status Bad() { return PythonError("zipfile.BadZipFile", "File is not a readable zip file"); }

absl::StatusOr<std::string> Inflate(absl::string_view packed, size_t size) {
  if (size > kMaxMember || size / 1100 > packed.size()) return Bad();  // deflate makes at most 1032 bytes of one
  std::string out(size, '\0');
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return Bad();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(size);
  const int code = inflate(&stream, Z_FINISH);
  const bool whole = code == Z_STREAM_END && stream.total_out == size;
  inflateEnd(&stream);
  if (!whole) return Bad();
  return out;
}

}  // namespace

bool IsNpz(absl::string_view bytes) { return bytes.substr(0, 4) == "PK\x03\x04"; }

absl::StatusOr<std::vector<NpzMember>> ReadNpz(absl::string_view bytes) {
  if (bytes.size() < 22 || bytes.size() > UINT32_MAX) return Bad();
  const size_t end = bytes.rfind("PK\x05\x06");
  if (end == bytes.npos || bytes.size() - end < 22) return Bad();
  size_t at = Number(bytes, end + 16, 4);
  std::vector<NpzMember> members;
  for (uint32_t left = Number(bytes, end + 10, 2); left > 0; --left) {
    if (at > bytes.size() || bytes.size() - at < 46 || bytes.substr(at, 4) != "PK\x01\x02") return Bad();
    const uint32_t method = Number(bytes, at + 10, 2), packed = Number(bytes, at + 20, 4), size = Number(bytes, at + 24, 4);
    const size_t name_size = Number(bytes, at + 28, 2), local = Number(bytes, at + 42, 4);
    const absl::string_view name = bytes.substr(at + 46, name_size);
    if (local > bytes.size() || bytes.size() - local < 30) return Bad();
    const size_t data = local + 30 + Number(bytes, local + 26, 2) + Number(bytes, local + 28, 2);
    if (data > bytes.size() || packed > bytes.size() - data || packed > kMaxMember) return Bad();
    std::string content(bytes.substr(data, packed));
    if (method == 8) {
      absl::StatusOr<std::string> inflated = Inflate(bytes.substr(data, packed), size);
      if (!inflated.ok()) return inflated.status();
      content = *std::move(inflated);
    } else if (method != 0) {
      return Bad();
    }
    members.push_back({std::string(name), std::move(content)});
    at += 46 + name_size + Number(bytes, at + 30, 2) + Number(bytes, at + 32, 2);
  }
  return members;
}

}  // namespace savedmodel::cli
