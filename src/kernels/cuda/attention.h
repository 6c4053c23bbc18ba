// softmax(scale * q k' + mask) v for many heads.
#ifndef SAVEDMODEL_KERNELS_CUDA_ATTENTION_H_
#define SAVEDMODEL_KERNELS_CUDA_ATTENTION_H_

#include "kernels/cuda/number.h"

namespace savedmodel::cuda {

// Where element [batch, head, row, i] is, in elements; i lies beside i + 1. 0 repeats.
struct HeadSteps {
  int64_t batch = 0, head = 0, row = 0;
};

struct AttentionSizes {
  int64_t batch = 1, heads = 1, queries = 0, keys = 0;
  int64_t depth = 0, value_depth = 0;  // of queries and keys; of values and results
  HeadSteps q, k, v, out, mask;
  bool keys_transposed = false;  // k is stored [depth, keys], k.row goes along depth
  float scale = 1;
};

// Whether RunTiledAttention takes these sizes: whole tiles of 16, rows of keys that fit into a block's memory.
bool TilesFit(Element type, const AttentionSizes& sizes);
// One kernel, by tensor cores: kHalf, kBFloat16, and kFloat rounded to TF32. Pointers are multiples of 32. `mask` may be null.
int RunTiledAttention(void* stream, Element type, const AttentionSizes& sizes, const void* q, const void* k, const void* v, const void* mask, void* out);

// weights[b, h, q, :] = softmax(scale * scores[b, h, q, :] + mask[b, h, q, :]); scores and weights are dense and may be the
// same memory where their types are. Scores: `type` or kFloat.
int RunMaskedSoftmax(void* stream, Element scores_type, Element type, const AttentionSizes& sizes, const void* scores, const void* mask, void* weights);

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_ATTENTION_H_
