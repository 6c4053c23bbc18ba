#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

using D = DataType;
using Types = std::vector<DataType>;
using Shapes = std::vector<PartialShape>;

std::string Field(int number, const std::string& bytes) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
}
std::string Bytes(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& v : values) list += Field(1, v);
  return Field(1, list);
}
std::string Floats1(const std::vector<float>& values) {
  return Field(2, Field(1, std::string(reinterpret_cast<const char*>(values.data()), values.size() * 4)));
}
std::string Ints(const std::string& small) { return Field(3, Field(1, small)); }
std::string Entry(const std::string& key, const std::string& feature) { return Field(1, Field(1, key) + Field(2, feature)); }
std::string Example(const std::string& entries) { return Field(1, entries); }

struct Parse : OpCase {
  Parse(Tensor serialized, std::vector<std::string> sparse, Types sparse_types, std::vector<std::string> dense, Types dense_types, Shapes shapes,
        std::vector<Tensor> defaults, std::vector<std::string> ragged = {}, Types ragged_types = {}, Types splits = {})
      : OpCase("ParseExampleV2") {
    Int("num_sparse", static_cast<int64_t>(sparse.size()))
        .Attr("sparse_types", sparse_types)
        .Attr("Tdense", dense_types)
        .Attr("dense_shapes", shapes);
    Attr("ragged_value_types", ragged_types).Attr("ragged_split_types", splits);
    In(serialized).In(Strings({0}, {})).In(Tensor::Vector(sparse)).In(Tensor::Vector(dense)).In(Tensor::Vector(ragged));
    for (Tensor& t : defaults) In(t);
  }
};

const std::string kFirst = Example(Entry("s", Bytes({"ab", ""})) + Entry("f", Floats1({1, 2})) + Entry("i", Ints("\x07")));
const std::string kSecond = Example(Entry("f", Floats1({3, 4})) + Entry("i", Ints("\x08\x09")));

TEST_CASE("ParseExampleV2 reads a batch to sparse, dense and ragged tensors") {
  Parse(Strings({2}, {kFirst, kSecond}), {"s"}, {D::kString}, {"f"}, {D::kFloat}, {PartialShape::Of({2})}, {Floats({0}, {})}, {"i"},
        {D::kInt64}, {D::kInt32})
      .Gives({Int64s({2, 2}, {0, 0, 0, 1}), Strings({2}, {"ab", ""}), Int64s({2}, {2, 2}), Floats({2, 2}, {1, 2, 3, 4}),
              Int64s({3}, {7, 8, 9}), Int32s({3}, {0, 1, 3})});
  Parse(Strings({2}, {kFirst, kSecond}), {}, {}, {"i", "s"}, {D::kInt64, D::kString}, {PartialShape::Of({-1}), PartialShape::Of({2})},
        {Tensor::Scalar<int64_t>(-1), Strings({2}, {"x", "y"})})
      .Gives({Int64s({2, 2}, {7, -1, 8, 9}), Strings({2, 2}, {"ab", "", "x", "y"})});
  Parse(Strings({0}, {}), {"s"}, {D::kString}, {"f"}, {D::kFloat}, {PartialShape::Of({-1, 2})}, {Tensor::Scalar(0.f)})
      .Gives({Int64s({0, 2}, {}), Strings({0}, {}), Int64s({2}, {0, 0}), Floats({0, 0, 2}, {})});
}

TEST_CASE("ParseExampleV2 reads one example without a batch dimension") {
  Parse(Tensor::Scalar(kFirst), {"s", "none"}, {D::kString, D::kFloat}, {"f"}, {D::kFloat}, {PartialShape::Of({-1, 1})},
        {Tensor::Scalar(0.f)}, {"i"}, {D::kInt64}, {D::kInt64})
      .Gives({Int64s({2, 1}, {0, 1}), Int64s({0, 1}, {}), Strings({2}, {"ab", ""}), Floats({0}, {}), Int64s({1}, {2}), Int64s({1}, {0}),
              Floats({2, 1}, {1, 2}), Int64s({1}, {7}), Int64s({0}, {})});
}

TEST_CASE("ParseExample takes its keys as scalars") {
  OpCase("ParseExample")
      .Int("Nsparse", 1)
      .Int("Ndense", 1)
      .Attr("sparse_types", Types{D::kInt64})
      .Attr("Tdense", Types{D::kFloat})
      .Attr("dense_shapes", Shapes{PartialShape::Of({2})})
      .In(Strings({1}, {kSecond}))
      .In(Strings({0}, {}))
      .In(Tensor::Scalar("i"))
      .In(Tensor::Scalar("f"))
      .In(Floats({0}, {}))
      .Gives({Int64s({2, 2}, {0, 0, 0, 1}), Int64s({2}, {8, 9}), Int64s({2}, {1, 2}), Floats({1, 2}, {3, 4})});
}

TEST_CASE("ParseSingleExample takes its keys as attributes") {
  OpCase("ParseSingleExample")
      .Int("num_sparse", 1)
      .Attr("sparse_keys", std::vector<std::string>{"i"})
      .Attr("dense_keys", std::vector<std::string>{"f"})
      .Attr("sparse_types", Types{D::kInt64})
      .Attr("Tdense", Types{D::kFloat})
      .Attr("dense_shapes", Shapes{PartialShape::Of({2})})
      .In(Tensor::Scalar(kSecond))
      .In(Floats({0}, {}))
      .Gives({Int64s({2, 1}, {0, 1}), Int64s({2}, {8, 9}), Int64s({1}, {2}), Floats({2}, {3, 4})});
}

TEST_CASE("ParseExampleV2 finds nothing where a key comes twice") {
  Parse(Strings({1}, {Example(Entry("a", Ints("\x03")))}), {}, {}, {"a", "a"}, {D::kInt64, D::kInt64}, {PartialShape::Of({1}), PartialShape::Of({1})}, {Int64s({1}, {8}), Int64s({1}, {9})})
      .Gives({Int64s({1, 1}, {8}), Int64s({1, 1}, {9})});
}

TEST_CASE("ParseExampleV2 refuses what does not fit") {
  const auto parse = [](const std::string& text, const char* key, D type, PartialShape shape, Tensor value) {
    return Parse(Strings({1}, {text}), {}, {}, {key}, {type}, {shape}, {value}).Run().status();
  };
  const auto refuses = [&](const std::string& text, const char* key, D type, PartialShape shape, Tensor value, const char* why) {
    const absl::Status status = parse(text, key, type, shape, value);
    INFO(status.ToString());
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(std::string(status.message()).find(why) != std::string::npos);
  };
  const Tensor none = Floats({0}, {});
  refuses("garbage", "f", D::kFloat, PartialShape::Of({2}), none, "Could not parse example input");
  refuses(kFirst, "f", D::kFloat, PartialShape::Of({3}), none, "values != expected");
  refuses(kFirst, "g", D::kFloat, PartialShape::Of({2}), none, "is required but could not be found");
  refuses(kFirst, "i", D::kFloat, PartialShape::Of({1}), none, "Data types don't match");
  refuses(kFirst, "f", D::kFloat, PartialShape::Of({-1, 3}), Tensor::Scalar(0.f), "not a multiple");
  refuses(kFirst, "f", D::kFloat, PartialShape::Of({-1}), none, "must contain a single element");
  refuses(kFirst, "f", D::kFloat, PartialShape::Of({2}), Floats({3}, {1, 2, 3}), "is not compatible");
  refuses(kFirst, "f", D::kFloat, PartialShape::Of({2, -1}), none, "unknown inner dimensions");
  // Any prefix is either parsed or refused.
  for (size_t n = 0; n < kFirst.size(); ++n) {
    const absl::Status status = parse(kFirst.substr(0, n), "f", D::kFloat, PartialShape::Of({2}), Floats({2}, {0, 0}));
    CHECK((status.ok() || status.code() == absl::StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace savedmodel
