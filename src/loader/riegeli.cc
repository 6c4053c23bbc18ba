// The file is a sequence of chunks, cut by a block header at each multiple of 64 KiB. A chunk is a header of 40 bytes, data,
// and padding.
#include "loader/riegeli.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/highway_hash.h"
#include "core/status_macros.h"
#include "loader/brotli.h"
#include "loader/varint.h"

namespace savedmodel {
namespace {

constexpr uint64_t kBlock = 1 << 16;
constexpr uint64_t kBlockHeader = 24;
constexpr uint64_t kUsable = kBlock - kBlockHeader;
constexpr uint64_t kChunkHeader = 40;

uint64_t HashOf(const void* data, size_t n) {
  // "Riegeli/records\n", twice
  HighwayHash64 hash({0x2f696c6567656952, 0x0a7364726f636572, 0x2f696c6567656952, 0x0a7364726f636572});
  hash.Add(data, n);
  return hash.Finish();
}

uint64_t NumberAt(const char* bytes, int n = 8) {
  uint64_t number = 0;
  for (int i = 0; i < n; ++i) number |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  return number;
}

struct ChunkHeader {
  uint64_t data_size, data_hash, num_records, decoded_size;
  char type;
};

// Where a chunk ends: after its data and the block headers in them, or far enough for its records to have numbers of their
// own, and never within a block header. False when that is past any file.
bool ChunkEnd(uint64_t begin, const ChunkHeader& header, uint64_t* end) {
  uint64_t size, records;
  if (__builtin_add_overflow(header.data_size, kChunkHeader, &size) || size > (uint64_t{1} << 62)) return false;
  if (__builtin_add_overflow(begin, header.num_records, &records) || records > (uint64_t{1} << 62)) return false;
  const uint64_t blocks = (size + (begin + kUsable - 1) % kBlock) / kUsable;
  const uint64_t remaining = kBlock - 1 - (records + kBlock - 1) % kBlock;
  if (remaining > kUsable - 1) records += remaining - (kUsable - 1);
  *end = std::max(begin + size + blocks * kBlockHeader, records);
  return true;
}

absl::Status Damaged(uint64_t at, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("chunk at ", at, ": ", what));
}

// Copies n bytes from `at` on, leaving out block headers; `at` moves along.
absl::Status ReadThrough(const ReadableFile& file, uint64_t* at, size_t n, char* to) {
  while (n > 0) {
    if (*at % kBlock == 0) *at += kBlockHeader;
    const size_t part = static_cast<size_t>(std::min<uint64_t>(n, kBlock - *at % kBlock));
    SM_RETURN_IF_ERROR(file.Read(*at, part, to));
    *at += part;
    to += part;
    n -= part;
  }
  return absl::OkStatus();
}

// A buffer of a chunk: as it is, or its size and then its compressed bytes. `limit`: the most it may unpack to.
absl::Status Unpack(char compression, absl::string_view packed, uint64_t limit, std::string* out) {
  if (compression == 0) {
    out->assign(packed.data(), packed.size());
    return absl::OkStatus();
  }
  if (compression == 'z') return absl::UnimplementedError("is compressed with Zstandard, only Brotli and no compression are read");
  if (compression != 'b') return absl::DataLossError(absl::StrCat("has compression ", static_cast<int>(compression), ", which does not exist"));
  uint64_t size;
  if (!TakeVarint64(&packed, &size)) return absl::DataLossError("a compressed buffer has no size");
  if (size > limit) return absl::DataLossError(absl::StrCat("a compressed buffer claims ", size, " bytes, at most ", limit, " were expected"));
  return ExpandBrotli(packed, size, out);
}

// A simple chunk: the sizes of all records, then all records.
absl::Status TakeRecords(uint64_t begin, const ChunkHeader& header, absl::string_view data,
                         absl::FunctionRef<absl::Status(uint64_t position, std::string record)> visit) {
  uint64_t packed_sizes = 0;
  if (data.empty()) return absl::DataLossError("is empty");
  const char compression = data.front();
  data.remove_prefix(1);
  if (!TakeVarint64(&data, &packed_sizes) || packed_sizes > data.size()) return absl::DataLossError("the sizes of its records are cut short");
  constexpr uint64_t kLongestVarint = 10;
  std::string sizes, values;
  SM_RETURN_IF_ERROR(Unpack(compression, data.substr(0, packed_sizes), header.num_records * kLongestVarint, &sizes));
  SM_RETURN_IF_ERROR(Unpack(compression, data.substr(packed_sizes), header.decoded_size, &values));
  absl::string_view left = sizes, rest = values;
  for (uint64_t i = 0; i < header.num_records; ++i) {
    uint64_t size;
    if (!TakeVarint64(&left, &size) || size > rest.size()) return absl::DataLossError(absl::StrCat("record ", i, " of ", header.num_records, " is cut short"));
    SM_RETURN_IF_ERROR(visit(begin + i, std::string(rest.substr(0, size))));
    rest.remove_prefix(size);
  }
  if (!left.empty() || !rest.empty()) return absl::DataLossError("has more bytes than its records");
  return absl::OkStatus();
}

// The header of the chunk at `begin`; `at` goes to its data.
absl::StatusOr<ChunkHeader> ReadHeader(const ReadableFile& file, uint64_t begin, uint64_t* at) {
  char bytes[kChunkHeader];
  SM_RETURN_IF_ERROR(ReadThrough(file, at, sizeof(bytes), bytes));
  if (NumberAt(bytes) != HashOf(bytes + 8, sizeof(bytes) - 8)) return Damaged(begin, "the hash of its header does not match");
  return ChunkHeader{NumberAt(bytes + 8), NumberAt(bytes + 16), NumberAt(bytes + 25, 7), NumberAt(bytes + 32), bytes[24]};
}

absl::Status ReadChunk(const ReadableFile& file, uint64_t begin, const ChunkHeader& header, uint64_t at,
                       absl::FunctionRef<absl::Status(uint64_t position, std::string record)> visit) {
  std::string data(static_cast<size_t>(header.data_size), '\0');
  SM_RETURN_IF_ERROR(ReadThrough(file, &at, data.size(), data.data()));
  if (HashOf(data.data(), data.size()) != header.data_hash) return Damaged(begin, "the hash of its data does not match");
  absl::Status status = TakeRecords(begin, header, data, visit);
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("chunk at ", begin, ": ", status.message()));
}

}  // namespace

absl::Status ReadRiegeli(const ReadableFile& file, uint64_t max_bytes, absl::FunctionRef<absl::Status(uint64_t position, std::string record)> visit) {
  const uint64_t file_size = file.size();
  uint64_t total = 0;
  bool first = true;
  for (uint64_t begin = 0; begin < file_size;) {
    uint64_t at = begin, end;
    absl::StatusOr<ChunkHeader> header = ReadHeader(file, begin, &at);
    if (!header.ok()) return first ? absl::DataLossError(absl::StrCat("is no Riegeli file: ", header.status().message())) : header.status();
    if (first && header->type != 's') return Damaged(begin, "is no file signature, which was wanted first");
    if (!ChunkEnd(begin, *header, &end) || header->data_size > file_size || at + header->data_size > file_size) {
      return Damaged(begin, absl::StrCat("claims ", header->data_size, " bytes of data, the file has ", file_size));
    }
    switch (header->type) {
      case 's': case 'm': case 'p': break;  // signature, metadata, padding
      case 'r':
        if (__builtin_add_overflow(total, header->decoded_size, &total) || total > max_bytes) {
          return absl::ResourceExhaustedError(absl::StrCat("its records come to more than ", max_bytes, " bytes"));
        }
        if (header->num_records > header->data_size * 4096) return Damaged(begin, absl::StrCat("claims ", header->num_records, " records"));
        SM_RETURN_IF_ERROR(ReadChunk(file, begin, *header, at, visit));
        break;
      case 't': return absl::UnimplementedError(absl::StrCat("chunk at ", begin, ": its records are transposed; only simple chunks are read"));
      default:
        if (header->num_records > 0) return absl::UnimplementedError(absl::StrCat("chunk at ", begin, ": is of the unknown kind ", static_cast<int>(header->type)));
    }
    begin = end;
    first = false;
  }
  if (first) return absl::DataLossError("is empty, a Riegeli file was wanted");
  return absl::OkStatus();
}

}  // namespace savedmodel
