#include "cli/pickle.h"

namespace savedmodel::cli {
namespace {

constexpr size_t kBatch = 1000;          // items of one APPENDS
constexpr size_t kFrame = 64 * 1024;     // a frame ends once it holds as much
constexpr char kMemoize = '\x94';

std::string LittleEndian(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// Collects opcodes in frames, as Python's pickler does.
class Writer {
 public:
  explicit Writer(std::string* out) : out_(out) {
    *out_ += "\x80\x04";
    for (int64_t& known : single_) known = -1;
  }
  void Add(absl::string_view code) { frame_.append(code.data(), code.size()); }
  void Text(absl::string_view text) {
    frame_ += '\x8c';
    frame_ += static_cast<char>(text.size());
    Add(text);
    Memoize();
  }
  void Memoize() {
    frame_ += kMemoize;
    ++memo_;
  }
  void Int(uint64_t value) {
    if (value < 256) {
      frame_ += 'K' + LittleEndian(value, 1);
    } else if (value < 65536) {
      frame_ += 'M' + LittleEndian(value, 2);
    } else if (value < 0x80000000u) {
      frame_ += 'J' + LittleEndian(value, 4);
    } else {
      int size = 1;
      while (size < 8 && value >> (8 * size - 1) != 0) ++size;
      frame_ += '\x8a' + LittleEndian(static_cast<uint64_t>(size), 1) + LittleEndian(value, size);
    }
  }
  void Get(uint64_t index) { frame_ += index < 256 ? 'h' + LittleEndian(index, 1) : 'j' + LittleEndian(index, 4); }
  void Bytes(const std::string& bytes) {
    // Python keeps one object for each bytes of at most one byte; the second time it is taken from the memo. "b" is there.
    int64_t* known = bytes.size() > 1 ? nullptr : bytes.empty() ? &empty_ : &single_[static_cast<uint8_t>(bytes[0])];
    if (known != nullptr && *known >= 0) return Get(static_cast<uint64_t>(*known));
    if (known != nullptr) *known = static_cast<int64_t>(memo_);
    if (bytes.size() < 256) {
      frame_ += 'C' + LittleEndian(bytes.size(), 1) + bytes;
    } else {
      const std::string head = bytes.size() <= UINT32_MAX ? 'B' + LittleEndian(bytes.size(), 4) : '\x8e' + LittleEndian(bytes.size(), 8);
      if (bytes.size() >= kFrame) {  // large ones lie between frames
        EndFrame();
        *out_ += head + bytes;
      } else {
        frame_ += head + bytes;
      }
    }
    Memoize();
  }
  void EndFrame() {
    if (frame_.size() >= 4) *out_ += '\x95' + LittleEndian(frame_.size(), 8);
    *out_ += frame_;
    frame_.clear();
  }
  void EndFrameIfFull() {
    if (frame_.size() >= kFrame) EndFrame();
  }

 private:
  std::string* out_;
  std::string frame_;
  uint64_t memo_ = 0;
  int64_t empty_ = -1, single_[256];
};

}  // namespace

std::string WriteObjectArray(const Tensor& tensor) {
  std::string out;
  Writer w(&out);
  w.Text("numpy._core.multiarray");
  w.Text("_reconstruct");
  w.Add("\x93");
  w.Memoize();
  w.Text("numpy");
  w.Text("ndarray");
  w.Add("\x93");
  w.Memoize();
  w.Int(0);
  w.Add("\x85");
  w.Memoize();
  w.Bytes("b");
  w.Add("\x87");
  w.Memoize();
  w.Add("R");
  w.Memoize();
  w.Add("(");
  w.Int(1);
  if (tensor.rank() > 3) w.Add("(");
  for (int64_t dim : tensor.shape().dims()) w.Int(static_cast<uint64_t>(dim));
  w.Add(tensor.rank() == 1 ? "\x85" : tensor.rank() == 2 ? "\x86" : tensor.rank() == 3 ? "\x87" : "t");
  w.Memoize();
  w.Get(3);
  w.Text("dtype");
  w.Add("\x93");
  w.Memoize();
  w.Text("O8");
  w.Add("\x89\x88\x87");
  w.Memoize();
  w.Add("R");
  w.Memoize();
  w.Add("(");
  w.Int(3);
  w.Text("|");
  w.Add("NNNJ");
  w.Add("\xff\xff\xff\xffJ\xff\xff\xff\xff");
  w.Int(63);
  w.Add("t");
  w.Memoize();
  w.Add(absl::string_view("b\x89]", 3));
  w.Memoize();
  const size_t n = static_cast<size_t>(tensor.num_elements());
  for (size_t begin = 0; begin < n; begin += kBatch) {
    const size_t end = std::min(n, begin + kBatch);
    if (end - begin > 1) w.Add("(");
    for (size_t i = begin; i < end; ++i) {
      w.EndFrameIfFull();
      w.Bytes(tensor.data<std::string>()[i]);
    }
    w.Add(end - begin > 1 ? "e" : "a");
  }
  w.Add("t");
  w.Memoize();
  w.Add("b.");
  w.EndFrame();
  return out;
}

}  // namespace savedmodel::cli
