#!/usr/bin/env python3
"""Makes the models that the GPU is timed on: make_models.py OUT [NAME...]. Needs TensorFlow; the result is carried to the machine with the GPU.

The weights repeat one block of random numbers, scaled by their fan-in, so that 500 MB of models pack into a few.
resnet50, mobilenetv2: signature serving_default, image [?,224,224,3]. bert: BERT-base's encoder, input_ids and input_mask [?,?]."""
import os
import sys

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

K = tf.keras
BLOCK = np.random.RandomState(1).uniform(-1, 1, 1 << 16).astype(np.float32)


def repeating(shape, scale):
    size = int(np.prod(shape))
    return np.tile(BLOCK, size // BLOCK.size + 1)[:size].reshape(shape) * np.float32(scale)


def save(out, name, function, specs, keep):
    module = tf.Module()
    module.keep = keep
    concrete = tf.function(lambda **inputs: {"out": function(**inputs)}).get_concrete_function(
        **{key: tf.TensorSpec(shape, dtype, name=key) for key, (shape, dtype) in specs.items()})
    tf.saved_model.save(module, os.path.join(out, name), signatures=concrete)
    print(name, flush=True)


def image_model(constructor):
    model = constructor(weights=None, input_shape=(224, 224, 3))
    for layer in model.layers:
        if not isinstance(layer, K.layers.BatchNormalization):  # those keep 1, 0, 0, 1
            for variable in layer.weights:
                shape = variable.shape.as_list()
                if len(shape) > 1:
                    fan_in = np.prod(shape[:2]) if "depthwise" in variable.name else np.prod(shape[:-1])
                    variable.assign(repeating(shape, np.sqrt(3.0 / fan_in)))
    return (lambda image: model(image, training=False)), model


def bert(layers=12, hidden=768, heads=12, inner=3072, vocabulary=30522, positions=512):
    module = tf.Module()

    def weight(name, shape, scale=0.035):
        setattr(module, name, tf.Variable(repeating(shape, scale), name=name))
        return getattr(module, name)

    def fill(name, shape, value):
        setattr(module, name, tf.Variable(tf.fill(shape, value), name=name))
        return getattr(module, name)

    def norm_of(name):
        return fill(name + "_gamma", (hidden,), 1.0), fill(name + "_beta", (hidden,), 0.0)

    def dense_of(name, rows, columns):
        return weight(name, (rows, columns)), fill(name + "_bias", (columns,), 0.01)

    words, places = weight("words", (vocabulary, hidden)), weight("places", (positions, hidden))
    first = norm_of("first")
    stack = [{"q": dense_of("q%d" % i, hidden, hidden), "k": dense_of("k%d" % i, hidden, hidden), "v": dense_of("v%d" % i, hidden, hidden),
              "o": dense_of("o%d" % i, hidden, hidden), "n1": norm_of("n1_%d" % i), "f1": dense_of("f1_%d" % i, hidden, inner),
              "f2": dense_of("f2_%d" % i, inner, hidden), "n2": norm_of("n2_%d" % i)} for i in range(layers)]

    def norm(x, p):
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, p[1], p[0], 1e-12)

    def dense(x, p):
        return tf.tensordot(x, p[0], [[2], [0]]) + p[1]

    def run(input_ids, input_mask):
        batch, length = tf.shape(input_ids)[0], tf.shape(input_ids)[1]
        x = norm(tf.gather(words, input_ids) + places[tf.newaxis, :length], first)
        bias = (1.0 - tf.cast(input_mask, tf.float32))[:, None, None, :] * -10000.0
        for p in stack:
            split = lambda t: tf.transpose(tf.reshape(t, [batch, length, heads, hidden // heads]), [0, 2, 1, 3])
            q, k, v = split(dense(x, p["q"])), split(dense(x, p["k"])), split(dense(x, p["v"]))
            a = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * (1.0 / (hidden // heads) ** 0.5) + bias)
            c = tf.reshape(tf.transpose(tf.matmul(a, v), [0, 2, 1, 3]), [batch, length, hidden])
            x = norm(x + dense(c, p["o"]), p["n1"])
            y = dense(x, p["f1"])
            x = norm(x + dense(0.5 * y * (1.0 + tf.math.erf(y / 1.4142135)), p["f2"]), p["n2"])
        return x

    return run, module


def main():
    out, names = sys.argv[1], sys.argv[2:] or ["resnet50", "mobilenetv2", "bert"]
    image = {"image": ((None, 224, 224, 3), tf.float32)}
    if "resnet50" in names:
        save(out, "resnet50", *image_of(K.applications.ResNet50, image))
    if "mobilenetv2" in names:
        save(out, "mobilenetv2", *image_of(K.applications.MobileNetV2, image))
    if "bert" in names:
        function, keep = bert()
        save(out, "bert", function, {"input_ids": ((None, None), tf.int32), "input_mask": ((None, None), tf.int32)}, keep)


def image_of(constructor, specs):
    function, keep = image_model(constructor)
    return function, specs, keep


if __name__ == "__main__":
    main()
