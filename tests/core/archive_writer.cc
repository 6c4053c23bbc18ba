#include "archive_writer.h"

#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace savedmodel {
namespace {

void Number(size_t value, int bytes, std::string* out) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace

std::string WriteTar(const std::vector<ArchiveEntry>& entries) {
  std::string tar;
  for (const ArchiveEntry& entry : entries) {
    char header[512] = {};
    const size_t size = entry.kind == '0' ? entry.content.size() : 0;
    std::memcpy(header, entry.name.data(), std::min<size_t>(entry.name.size(), 100));
    std::snprintf(header + 100, 8, "%07o", 0644);
    std::snprintf(header + 124, 12, "%011zo", size);
    std::snprintf(header + 136, 12, "%011o", 0);
    std::memset(header + 148, ' ', 8);
    header[156] = entry.kind;
    std::memcpy(header + 157, entry.link.data(), std::min<size_t>(entry.link.size(), 100));
    std::memcpy(header + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (char c : header) sum += static_cast<unsigned char>(c);
    std::snprintf(header + 148, 8, "%06o", sum);
    tar.append(header, sizeof(header));
    if (entry.kind == '0') tar += entry.content;
    tar.resize((tar.size() + 511) / 512 * 512);
  }
  return tar + std::string(1024, '\0');
}

std::string WriteZip(const std::vector<ArchiveEntry>& entries) {
  std::string zip, directory;
  for (const ArchiveEntry& entry : entries) {
    const size_t crc = crc32(0, reinterpret_cast<const Bytef*>(entry.content.data()), static_cast<uInt>(entry.content.size())), at = zip.size();
    auto fields = [&](std::string* out) {  // common to both headers
      Number(20, 2, out);
      for (int i = 0; i < 2; ++i) Number(0, 2, out);  // flags, stored
      Number(0, 4, out);
      Number(crc, 4, out);
      Number(entry.content.size(), 4, out);
      Number(entry.content.size(), 4, out);
      Number(entry.name.size(), 2, out);
      Number(0, 2, out);
    };
    zip += "PK\003\004";
    fields(&zip);
    zip += entry.name + entry.content;
    directory += "PK\001\002";
    Number(20, 2, &directory);
    fields(&directory);
    for (int i = 0; i < 3; ++i) Number(0, 2, &directory);
    Number(0, 4, &directory);
    Number(at, 4, &directory);
    directory += entry.name;
  }
  const size_t at = zip.size();
  zip += directory + "PK\005\006";
  Number(0, 4, &zip);
  Number(entries.size(), 2, &zip);
  Number(entries.size(), 2, &zip);
  Number(directory.size(), 4, &zip);
  Number(at, 4, &zip);
  Number(0, 2, &zip);
  return zip;
}

std::string Gzip(const std::string& bytes) {
  z_stream stream = {};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace savedmodel
