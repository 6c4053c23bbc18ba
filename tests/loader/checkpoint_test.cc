#include "loader/checkpoint.h"

#include <atomic>
#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "checkpoint_writer.h"
#include "loader/tensor_proto.h"
#include "op_case.h"

namespace savedmodel {
namespace {

constexpr char kPrefix[] = "variables/variables";
constexpr char kData[] = "variables/variables.data-00000-of-00001";

absl::StatusOr<std::unique_ptr<Checkpoint>> Open(std::map<std::string, std::string> files) {
  return Checkpoint::Open(MakeMemorySource(std::move(files), "model"), kPrefix);
}
absl::StatusOr<std::unique_ptr<Checkpoint>> Open(const CheckpointWriter& writer) { return Open(writer.Files()); }

void CheckReads(const Checkpoint& checkpoint, const std::string& key, const Tensor& expected, const std::string& slice = "") {
  INFO(key << " " << slice);
  absl::StatusOr<Tensor> tensor = checkpoint.Read(key, slice);
  INFO(tensor.status().ToString());
  REQUIRE(tensor.ok());
  CHECK(tensor->owns());
  CHECK(Difference(*tensor, expected, 0, 0) == "");
}

void CheckFails(const absl::Status& status, absl::StatusCode code, const std::string& text) {
  INFO(status.ToString());
  CHECK(status.code() == code);
  CHECK(absl::StrContains(std::string(status.message()), text));
}

void CheckOpenFails(CheckpointWriter& writer, absl::StatusCode code, const std::string& text) { CheckFails(Open(writer).status(), code, text); }

void CheckReadFails(const CheckpointWriter& writer, const std::string& key, absl::StatusCode code, const std::string& text) {
  absl::StatusOr<std::unique_ptr<Checkpoint>> checkpoint = Open(writer);
  REQUIRE(checkpoint.ok());
  CheckFails((*checkpoint)->Read(key).status(), code, text);
}

// Files in memory that can be used where they are. `checked` gets the sizes of what was checked.
class MappedFile final : public ReadableFile {
 public:
  MappedFile(std::string bytes, std::vector<uint64_t>* checked) : bytes_(std::move(bytes)), checked_(checked) {}
  uint64_t size() const override { return bytes_.size(); }
  absl::Status Read(uint64_t offset, size_t n, void* to) const override { return std::memcpy(to, bytes_.data() + offset, n), absl::OkStatus(); }
  const void* mapping() const override { return bytes_.data(); }
  void Checked(uint64_t, uint64_t n) const override { checked_->push_back(n); }
  std::string bytes_;
  std::vector<uint64_t>* checked_;
};
class MappedSource final : public FileSource {
 public:
  MappedSource(std::map<std::string, std::string> files, std::vector<uint64_t>* checked) : files_(std::move(files)), checked_(checked) {}
  std::string name() const override { return "mapped"; }
  absl::StatusOr<std::shared_ptr<ReadableFile>> Open(absl::string_view path) override {
    return std::make_shared<MappedFile>(files_[std::string(path)], checked_);
  }
  std::map<std::string, std::string> files_;
  std::vector<uint64_t>* checked_;
};

CheckpointWriter Small() {
  CheckpointWriter writer;
  writer.Add("dense/kernel", Floats({2, 2}, {1, 2, 3, 4})).Add("step", Int64s({}, {7})).Add("names", Strings({3}, {"a", "", "bcd"}));
  return writer;
}

TEST_CASE("checkpoint: tensors of every kind") {
  CheckpointWriter writer = Small();
  writer.Add("bools", Bools({3}, {1, 0, 1})).Add("halves", Values<Half>({2}, {Half(1.f), Half(-2.f)})).Add("empty", Floats({0, 4}, {})).Add(
      "complex", Values<std::complex<float>>({1}, {{1, 2}})).Add("no strings", Strings({0}, {}));
  for (bool compress : {false, true}) {
    writer.table().compress = compress;
    std::unique_ptr<Checkpoint> checkpoint = Open(writer).value();
    CHECK(checkpoint->version() == 2);
    CheckReads(*checkpoint, "dense/kernel", Floats({2, 2}, {1, 2, 3, 4}));
    CheckReads(*checkpoint, "step", Int64s({}, {7}));
    CheckReads(*checkpoint, "names", Strings({3}, {"a", "", "bcd"}));
    CheckReads(*checkpoint, "bools", Bools({3}, {1, 0, 1}));
    CheckReads(*checkpoint, "halves", Values<Half>({2}, {Half(1.f), Half(-2.f)}));
    CheckReads(*checkpoint, "empty", Floats({0, 4}, {}));
    CheckReads(*checkpoint, "complex", Values<std::complex<float>>({1}, {{1, 2}}));
    CheckReads(*checkpoint, "no strings", Strings({0}, {}));
    CheckReads(*checkpoint, "dense/kernel", Floats({1, 2}, {3, 4}), "2 2 1,1:-");
    std::vector<CheckpointEntry> list = checkpoint->List().value();
    REQUIRE(list.size() == 8);
    CHECK(list[2].key == "dense/kernel");
    CHECK(list[2].dtype == DataType::kFloat);
    CHECK(list[2].shape == TensorShape({2, 2}));
    CHECK(checkpoint->Has("step"));
    CHECK_FALSE(checkpoint->Has("ste"));
    CHECK_FALSE(checkpoint->Has(""));
  }
}

TEST_CASE("checkpoint: shards, slices and the other byte order") {
  CheckpointWriter writer(3);
  writer.BigEndian().Add("v", Int32s({2}, {1, -2}), 2).Add("c", Values<std::complex<double>>({1}, {{1, 2}}), 1).Add("s", Strings({1}, {"text"}), 1);
  writer.AddSlices("part", {4, 2}, {{"0,1:-", Floats({1, 2}, {0, 1})}, {"1,2:-", Floats({2, 2}, {2, 3, 4, 5})}, {"3,1:-", Floats({1, 2}, {6, 7})}});
  writer.AddSlices("whole", {2}, {{"-", Floats({2}, {8, 9})}});
  std::unique_ptr<Checkpoint> checkpoint = Open(writer).value();
  CheckReads(*checkpoint, "v", Int32s({2}, {1, -2}));
  CheckReads(*checkpoint, "c", Values<std::complex<double>>({1}, {{1, 2}}));
  CheckReads(*checkpoint, "s", Strings({1}, {"text"}));
  CheckReads(*checkpoint, "part", Floats({4, 2}, {0, 1, 2, 3, 4, 5, 6, 7}));
  CheckReads(*checkpoint, "part", Floats({2, 2}, {2, 3, 4, 5}), "4 2 1,2:-");
  CheckReads(*checkpoint, "part", Floats({3, 1}, {3, 5, 7}), "4 2 1,3:1,1");
  CheckReads(*checkpoint, "whole", Floats({2}, {8, 9}));
  CheckReads(*checkpoint, "whole", Floats({1}, {9}), "2 1,1");
  CHECK(checkpoint->List().value().size() == 5);
  CHECK(checkpoint->Find("part").value().sliced);
  CheckFails(checkpoint->Read("part", "4 3 1,1:-").status(), absl::StatusCode::kInvalidArgument, "does not match the shape stored in checkpoint");
}

TEST_CASE("checkpoint: several tensors at once") {
  std::unique_ptr<Checkpoint> checkpoint = Open(Small()).value();
  std::vector<Tensor> tensors =
      ReadTensors(*checkpoint, {{"names", "", DataType::kString}, {"dense/kernel", "2 2 0,1:-", DataType::kFloat}, {"step", "", DataType::kInt64}}).value();
  CHECK(Difference(tensors[0], Strings({3}, {"a", "", "bcd"})) == "");
  CHECK(Difference(tensors[1], Floats({1, 2}, {1, 2})) == "");
  CHECK(Difference(tensors[2], Int64s({}, {7})) == "");
  absl::Status status =
      ReadTensors(*checkpoint, {{"names", "", DataType::kString}, {"dense/kernel", "", DataType::kInt32}, {"step", "", DataType::kFloat}}).status();
  CheckFails(status, absl::StatusCode::kInvalidArgument, "tensor_name = dense/kernel; expected dtype int32 does not equal original dtype float32\ntensor_name = step");
  CheckFails(ReadTensors(*checkpoint, {{"none", "", DataType::kFloat}}).status(), absl::StatusCode::kNotFound, "Key none not found in checkpoint");
}

TEST_CASE("checkpoint: a mapped file is shared, and the copy of a tensor survives the checkpoint") {
  std::vector<float> values(5000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  CheckpointWriter writer;
  writer.Add("a", Values<float>({5000}, values)).Add("b", Values<uint8_t>({1}, {1})).Add("c", Values<float>({5000}, values));

  std::vector<uint64_t> checked;
  std::unique_ptr<Checkpoint> checkpoint = Checkpoint::Open(std::make_shared<MappedSource>(writer.Files(), &checked), kPrefix).value();
  Tensor a = checkpoint->Read("a").value(), c = checkpoint->Read("c").value();
  checkpoint.reset();
  CHECK(checked == std::vector<uint64_t>{20000});  // a; c is read
  CHECK(Difference(a, Values<float>({5000}, values), 0, 0) == "");
  CHECK(Difference(c, Values<float>({5000}, values), 0, 0) == "");  // not aligned, so a copy
  CHECK(!a.unique());  // nobody may write it
  CHECK(a.buffer()->read_only());
  CHECK(c.unique());
}

TEST_CASE("checkpoint: values that are checked ahead are read, or refused, as others are") {
  CheckpointWriter writer;
  writer.Add("a", Values<float>({5000}, std::vector<float>(5000, 1.5f))).Add("b", Values<float>({5000}, std::vector<float>(5000, 2.5f)));
  std::map<std::string, std::string> files = writer.Files();
  files[kData][20000 + 7] ^= 1;  // in b
  for (bool ahead : {false, true}) {
    std::vector<uint64_t> checked;
    const auto checkpoint = Checkpoint::Open(std::make_shared<MappedSource>(files, &checked), kPrefix).value();
    const std::atomic<bool> stop{!ahead};
    checkpoint->CheckAhead(stop);
    CheckReads(*checkpoint, "a", Values<float>({5000}, std::vector<float>(5000, 1.5f)));
    CheckFails(checkpoint->Read("b").status(), absl::StatusCode::kDataLoss, "Checksum does not match");
    CheckFails(checkpoint->Read("b").status(), absl::StatusCode::kDataLoss, "Checksum does not match");
    CHECK(checked == std::vector<uint64_t>{20000});
  }
}

TEST_CASE("checkpoint: damage is named") {
  CheckpointWriter writer = Small();
  CheckReadFails(writer, "none", absl::StatusCode::kNotFound, "Key none not found in checkpoint");
  writer.data(0)[0] ^= 1;
  CheckReadFails(writer, "dense/kernel", absl::StatusCode::kDataLoss, "TensorBundle at model/variables/variables shard 0 (16 bytes): Checksum does not match: stored ");
  writer = Small();
  writer.data(0).back() ^= 1;  // the last character
  CheckReadFails(writer, "names", absl::StatusCode::kDataLoss, "Checksum does not match");
  writer = Small();
  writer.data(0)[24] = 2, writer.data(0)[25] = 1;  // lengths 2, 1, 3 instead of 1, 0, 3
  CheckReadFails(writer, "names", absl::StatusCode::kDataLoss, "The length checksum does not match");
  writer = Small();
  writer.data(0)[24] = 0, writer.data(0)[25] = 1;
  CheckReadFails(writer, "names", absl::StatusCode::kDataLoss, "The length checksum does not match: expected ");
  writer = Small();
  writer.data(0).resize(10);
  CheckReadFails(writer, "dense/kernel", absl::StatusCode::kOutOfRange, "Read less bytes than requested");
  std::map<std::string, std::string> files = Small().Files();
  files.erase(kData);
  CheckFails(Open(files).value()->Read("step").status(), absl::StatusCode::kNotFound, "variables.data-00000-of-00001; No such file or directory");
  files = Small().Files();
  files[kData] += "more";
  CheckReads(*Open(files).value(), "step", Int64s({}, {7}));
}

TEST_CASE("checkpoint: entries that lie") {
  auto with = [](const std::string& key, const std::function<void(proto::BundleEntryProto&)>& change) {
    CheckpointWriter writer = Small();
    change(writer.entry(key));
    return writer;
  };
  using Entry = proto::BundleEntryProto;
  const absl::StatusCode loss = absl::StatusCode::kDataLoss;
  CheckReadFails(with("step", [](Entry& e) { e.set_size(9); }), "step", loss, "Invalid size in bundle entry: key step; stored size 9");
  CheckReadFails(with("step", [](Entry& e) { e.set_size(-8); }), "step", loss, "points to bytes");
  CheckReadFails(with("step", [](Entry& e) { e.set_offset(-1); }), "step", loss, "points to bytes");
  CheckReadFails(with("step", [](Entry& e) { e.set_shard_id(1); }), "step", loss, "of shard 1 of 1");
  CheckReadFails(with("step", [](Entry& e) { e.set_shard_id(-1); }), "step", loss, "points to bytes");
  CheckReadFails(with("step", [](Entry& e) { e.set_dtype(proto::DT_INVALID); }), "step", loss, "has dtype");
  CheckReadFails(with("step", [](Entry& e) { e.set_dtype(proto::DT_INT64_REF); }), "step", loss, "has dtype");
  CheckReadFails(with("step", [](Entry& e) { e.set_dtype(proto::DT_FLOAT); }), "step", loss, "Invalid size");
  CheckReadFails(with("step", [](Entry& e) { e.mutable_shape()->add_dim()->set_size(-1); }), "step", loss, "Invalid tensor shape");
  CheckReadFails(with("step", [](Entry& e) { e.mutable_shape()->set_unknown_rank(true); }), "step", loss, "Invalid tensor shape");
  CheckReadFails(with("step", [](Entry& e) { for (int i = 0; i < 3; ++i) e.mutable_shape()->add_dim()->set_size(int64_t{1} << 40); }), "step", loss, "Invalid tensor shape");
  CheckReadFails(with("step", [](Entry& e) { e.set_dtype(proto::DT_VARIANT); }), "step", absl::StatusCode::kUnimplemented, "variant");
  CheckReadFails(with("step", [](Entry& e) { e.set_offset(INT64_MAX); }), "step", absl::StatusCode::kOutOfRange, "Read less bytes than requested");
  // A terabyte that the file does not have is refused before memory is taken.
  CheckReadFails(with("step", [](Entry& e) { e.mutable_shape()->add_dim()->set_size(int64_t{1} << 37); e.set_size(int64_t{1} << 40); }), "step",
                 absl::StatusCode::kOutOfRange, "Read less bytes than requested");
  CheckReadFails(with("names", [](Entry& e) { e.mutable_shape()->mutable_dim(0)->set_size(1000); }), "names", loss, "Invalid size");
  CheckReadFails(with("names", [](Entry& e) { e.mutable_shape()->mutable_dim(0)->set_size(4); }), "names", loss, "The length checksum does not match");
}

TEST_CASE("checkpoint: slices that do not fit") {
  auto part = [] {
    CheckpointWriter writer;
    writer.AddSlices("p", {4}, {{"0,2", Floats({2}, {0, 1})}, {"2,2", Floats({2}, {2, 3})}});
    return writer;
  };
  CheckReads(*Open(part()).value(), "p", Floats({4}, {0, 1, 2, 3}));
  CheckpointWriter writer = part();
  writer.Remove(TensorSlice::Parse("2,2").value().Key("p"));
  CheckReadFails(writer, "p", absl::StatusCode::kNotFound, "slice 2,2 of p");
  writer = part();
  writer.entry("p").mutable_slices()->RemoveLast();
  CheckReadFails(writer, "p", absl::StatusCode::kInvalidArgument, "Does not have sufficient slices for partitioned tensor p to restore in slice_spec: -");
  writer = part();
  writer.entry("p").mutable_slices(1)->mutable_extent(0)->set_start(1);
  CheckReadFails(writer, "p", absl::StatusCode::kInternal, "Overlapping slices");
  writer = part();
  writer.entry("p").mutable_slices(1)->mutable_extent(0)->set_length(INT64_MAX);
  CheckReadFails(writer, "p", absl::StatusCode::kInvalidArgument, "Extent end exceeds");
  writer = part();
  writer.entry("p").mutable_shape()->mutable_dim(0)->set_size(3);
  CheckReadFails(writer, "p", absl::StatusCode::kInternal, "out of bounds");
  writer = part();
  writer.entry(TensorSlice::Parse("2,2").value().Key("p")).set_dtype(proto::DT_INT32);
  CheckReadFails(writer, "p", absl::StatusCode::kInternal, "is stored as int32[2]");
}

TEST_CASE("checkpoint: headers") {
  CheckpointWriter writer = Small();
  writer.header().mutable_version()->set_min_consumer(2);
  CheckOpenFails(writer, absl::StatusCode::kInvalidArgument, "Checkpoint min consumer version 2 above current version 1");
  writer = Small();
  writer.header().mutable_version()->add_bad_consumers(1);
  CheckOpenFails(writer, absl::StatusCode::kInvalidArgument, "Checkpoint disallows consumer version 1");
  writer = Small();
  writer.header().set_num_shards(2);
  CheckReadFails(writer, "step", absl::StatusCode::kNotFound, "variables.data-00000-of-00002");
  writer.header().set_num_shards(0);
  CheckReadFails(writer, "step", absl::StatusCode::kDataLoss, "of shard 0 of 0");
  std::map<std::string, std::string> files = Small().Files();
  files["variables/variables.index"] = WriteTable({{"a", "b"}});
  CheckFails(Open(files).status(), absl::StatusCode::kDataLoss, "Unable to read file (model/variables/variables.index). Perhaps the file is corrupt");
  files["variables/variables.index"] = WriteTable({});
  CheckFails(Open(files).status(), absl::StatusCode::kDataLoss, "no header entry");
  files["variables/variables.index"] = WriteTable({{"", "\xff"}});
  CheckFails(Open(files).status(), absl::StatusCode::kDataLoss, "unable to parse header");
  files["variables/variables.index"] = WriteTable({{"", ""}, {"k", "\xff"}});
  CheckFails(Open(files).value()->Read("k").status(), absl::StatusCode::kDataLoss, "Entry for key k not parseable.");
  files.clear();
  CheckFails(Open(files).status(), absl::StatusCode::kNotFound, "Failed to find any matching files for model/variables/variables");
}

TEST_CASE("checkpoint: every bit of index and data is guarded") {
  const std::map<std::string, std::string> files = Small().Files();
  for (const auto& [path, bytes] : files) {
    const bool index = path != kData;
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      if (index && bit / 8 >= bytes.size() - 48) break;  // the footer, see table_test
      std::map<std::string, std::string> flipped = files;
      flipped[path][bit / 8] = static_cast<char>(flipped[path][bit / 8] ^ (1 << (bit % 8)));
      absl::StatusOr<std::unique_ptr<Checkpoint>> checkpoint = Open(flipped);
      absl::Status status = checkpoint.status();
      for (const char* key : {"dense/kernel", "step", "names"}) {
        if (status.ok()) status = (*checkpoint)->Read(key).status();
      }
      CHECK(status.code() == absl::StatusCode::kDataLoss);
    }
  }
}

TEST_CASE("checkpoint: an index that would expand without bound") {
  // One key of 256 KiB, then thousands that share all of it but a few bytes.
  std::vector<std::pair<std::string, std::string>> entries = {{"", ""}};
  const std::string long_key(256 << 10, 'k');
  for (int i = 10000; i < 14000; ++i) entries.emplace_back(long_key + std::to_string(i), "");
  std::map<std::string, std::string> files;
  files["variables/variables.index"] = WriteTable(entries, TableWriterOptions{size_t{1} << 30, true, 1 << 30});
  CheckFails(Open(files).status(), absl::StatusCode::kDataLoss, "far larger than the file");
}

TEST_CASE("checkpoint: version 1") {
  auto values = [](const Tensor& tensor) {
    proto::TensorProto message;
    message.set_dtype(static_cast<proto::DataType>(tensor.dtype()));
    if (tensor.dtype() == DataType::kFloat) for (float v : tensor.flat<float>()) message.add_float_val(v);
    if (tensor.dtype() == DataType::kInt32) for (int32_t v : tensor.flat<int32_t>()) message.add_int_val(v);
    if (tensor.dtype() == DataType::kString) for (const std::string& v : tensor.flat<std::string>()) message.add_string_val(v);
    return message;
  };
  OldCheckpointWriter first, second;
  first.Add("w", {4}, "0,2", values(Floats({2}, {0, 1}))).Add("n", {}, "", values(Int32s({}, {5})));
  second.Add("w", {4}, "2,2", values(Floats({2}, {2, 3}))).Add("s", {2}, "-", values(Strings({2}, {"a", "b"})));
  const std::string a = "variables/variables-00000-of-00002", b = "variables/variables-00001-of-00002";
  std::map<std::string, std::string> files = {{a, first.File()}, {b, second.File()}, {"variables/variables-x", "no shard"}};
  std::unique_ptr<Checkpoint> checkpoint = Open(files).value();
  CHECK(checkpoint->version() == 1);
  CheckReads(*checkpoint, "w", Floats({4}, {0, 1, 2, 3}));
  CheckReads(*checkpoint, "w", Floats({2}, {1, 2}), "4 1,2");
  CheckReads(*checkpoint, "n", Int32s({}, {5}));
  CheckReads(*checkpoint, "s", Strings({2}, {"a", "b"}));
  CHECK(checkpoint->List().value().size() == 3);
  CheckFails(checkpoint->Read("none").status(), absl::StatusCode::kNotFound, "Tensor name \"none\" not found in checkpoint files model/variables/variables");
  std::unique_ptr<Checkpoint> half = Open({{kPrefix, first.File()}}).value();
  CheckFails(half->Read("w").status(), absl::StatusCode::kInvalidArgument, "Does not have sufficient slices");
  CheckFails(Open({{kPrefix, "garbage"}}).status(), absl::StatusCode::kDataLoss, "perhaps your file is in a different file format");
  CheckFails(Open({{kPrefix, WriteTable({})}}).status(), absl::StatusCode::kInternal, "Failed to find the saved tensor slices");
  OldCheckpointWriter few;
  few.Add("w", {4}, "-", values(Floats({2}, {0, 1})));
  CheckFails(Open({{kPrefix, few.File()}}).value()->Read("w").status(), absl::StatusCode::kInvalidArgument, "has 2 values, float32[4] was wanted");
}

TEST_CASE("checkpoint: the object graph") {
  proto::TrackableObjectGraph graph;
  graph.add_nodes()->add_children()->set_local_name("layer");
  CheckpointWriter writer;
  writer.Add("_CHECKPOINTABLE_OBJECT_GRAPH", Strings({}, {graph.SerializeAsString()}));
  CHECK(ReadObjectGraph(*Open(writer).value()).value().nodes(0).children(0).local_name() == "layer");
  CheckFails(ReadObjectGraph(*Open(Small()).value()).status(), absl::StatusCode::kNotFound, "SavedModel checkpoint does not contain object graph.");
  CheckpointWriter number, garbage;
  number.Add("_CHECKPOINTABLE_OBJECT_GRAPH", Floats({}, {1}));
  CheckFails(ReadObjectGraph(*Open(number).value()).status(), absl::StatusCode::kFailedPrecondition, "was not the correct type");
  garbage.Add("_CHECKPOINTABLE_OBJECT_GRAPH", Strings({}, {"\xff"}));
  CheckFails(ReadObjectGraph(*Open(garbage).value()).status(), absl::StatusCode::kFailedPrecondition, "could not be deserialized");
}

}  // namespace
}  // namespace savedmodel
