#include "chunked_writer.h"

#include <algorithm>

#include "core/highway_hash.h"
#include "loader/varint.h"

namespace savedmodel {
namespace {

uint64_t Hash(const std::string& bytes) {
  HighwayHash64 hash({0x2f696c6567656952, 0x0a7364726f636572, 0x2f696c6567656952, 0x0a7364726f636572});
  hash.Add(bytes.data(), bytes.size());
  return hash.Finish();
}

void Number(uint64_t value, std::string* out, int bytes = 8) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace

uint64_t RiegeliWriter::AddChunk(char type, const std::string& data, uint64_t num_records, uint64_t decoded_size) {
  constexpr uint64_t kBlock = 1 << 16, kHeader = 24;
  std::string rest;
  Number(data.size(), &rest);
  Number(Hash(data), &rest);
  rest.push_back(type);
  Number(num_records, &rest, 7);
  Number(decoded_size, &rest);
  std::string chunk;
  Number(Hash(rest), &chunk);
  chunk += rest + data;
  const uint64_t begin = file_.size();
  // Padding: at least as many bytes as records, no end within or right after a block header.
  std::vector<size_t> headers;
  std::string out;
  auto put = [&](char c) {
    if ((begin + out.size()) % kBlock == 0) {
      headers.push_back(out.size());
      out.append(kHeader, '\0');
    }
    out.push_back(c);
  };
  for (char c : chunk) put(c);
  while (out.size() < std::min<uint64_t>(num_records, 1 << 20) || ((begin + out.size()) % kBlock != 0 && (begin + out.size()) % kBlock <= kHeader)) put('\0');
  for (size_t at : headers) {
    std::string fields, header;
    Number(at, &fields);
    Number(out.size() - at, &fields);
    Number(Hash(fields), &header);
    header += fields;
    std::copy(header.begin(), header.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
  }
  file_ += out;
  return begin;
}

uint64_t RiegeliWriter::Add(const std::vector<std::string>& records) {
  std::string sizes, values, data(1, '\0');
  for (const std::string& record : records) {
    AppendVarint64(record.size(), &sizes);
    values += record;
  }
  AppendVarint64(sizes.size(), &data);
  return AddChunk('r', data + sizes + values, records.size(), values.size());
}

uint64_t ChunkedWriter::Add(const std::string& bytes) {
  proto::ChunkInfo* info = metadata_.add_chunks();
  info->set_size(bytes.size());
  info->set_offset(writer_.Add({bytes}));
  return static_cast<uint64_t>(metadata_.chunks_size()) - 1;
}

proto::ChunkedField* ChunkedWriter::Field(uint64_t piece, const std::vector<proto::FieldIndex>& way) {
  proto::ChunkedField* field = metadata_.mutable_message()->add_chunked_fields();
  for (const proto::FieldIndex& step : way) *field->add_field_tag() = step;
  field->mutable_message()->set_chunk_index(piece);
  return field;
}

std::string ChunkedWriter::Finish() {
  writer_.Add({metadata_.SerializeAsString()});
  return writer_.file();
}

proto::FieldIndex FieldNumber(uint32_t number) {
  proto::FieldIndex step;
  step.set_field(number);
  return step;
}

proto::FieldIndex ElementIndex(uint64_t index) {
  proto::FieldIndex step;
  step.set_index(index);
  return step;
}

proto::FieldIndex MapKey(const std::string& key) {
  proto::FieldIndex step;
  step.mutable_map_key()->set_s(key);
  return step;
}

}  // namespace savedmodel
