"""PyTorch's operators by what rounds in them. The names are those of `torch.ops.aten`."""

#: Give numbers that they were given, in another order, place or shape, or none at all: nothing
#: rounds. Where they compare or choose, noise in what they are given may change the choice.
EXACT = frozenset("""
    abs alias all amax amin any argmax argmin argsort as_strided broadcast_tensors bucketize
    cat ceil channel_shuffle chunk clamp clamp_max clamp_min clone complex concat constant_pad_nd
    contiguous copy copysign count_nonzero cummax cummin detach diag diagonal diagonal_copy
    diag_embed embedding empty empty_like empty_permuted empty_strided eq expand expand_as eye fill
    flatten flip floor floor_divide fmax fmin frac full full_like gather ge gt hardtanh
    heaviside im2col imag index index_copy index_fill index_select int_repr is_nonzero isfinite
    isinf isnan isin item kthvalue le lift lift_fresh lift_fresh_copy logical_and
    logical_not logical_or logical_xor lt masked_fill masked_scatter masked_select max
    max_pool1d max_pool2d max_pool2d_with_indices max_pool3d_with_indices maximum mode median min
    minimum movedim nan_to_num nanmedian narrow ne neg new_empty new_empty_strided
    new_full new_ones new_zeros nonzero ones ones_like permute pin_memory pixel_shuffle
    pixel_unshuffle positive randint randperm real reflection_pad1d reflection_pad2d
    reflection_pad3d relu relu6 repeat repeat_interleave replication_pad1d replication_pad2d
    replication_pad3d reshape resize roll rot90 round scalar_tensor scatter searchsorted select
    select_backward select_copy select_scatter sgn sign slice slice_backward slice_scatter sort
    split split_with_sizes split_with_sizes_copy squeeze squeeze_copy stack swapaxes t take
    threshold threshold_backward topk transpose tril tril_indices triu triu_indices trunc unbind
    unfold unfold_copy unique_consecutive unsafe_chunk unsafe_split unsafe_split_with_sizes
    unsqueeze unsqueeze_copy upsample_nearest1d upsample_nearest2d upsample_nearest3d view
    view_as_complex view_as_real view_copy where zero zeros zeros_like
    _adaptive_max_pool2d _conj _local_scalar_dense _pack_padded_sequence _pad_packed_sequence
    _reshape_alias _reshape_copy _resolve_conj _unsafe_index _unsafe_view _upsample_nearest_exact1d
    _upsample_nearest_exact2d adaptive_max_pool2d bitwise_and bitwise_not bitwise_or one_hot
    broadcast_in_dim convert_element_type iota collapse_view _assert_async _assert_scalar
    _assert_tensor_metadata sym_size sym_numel
    hardtanh_backward new_tensor set_data _to_copy is_same_size copy_to _neg_view
    hardshrink_backward softshrink_backward masked_scatter_backward adaptive_max_pool3d
    fractional_max_pool2d fractional_max_pool3d
""".split())

#: Sums of products: which of the arguments hold the factors, and which one, if any, is added.
PRODUCTS = {
    "mm": ((0, 1), None), "bmm": ((0, 1), None), "mv": ((0, 1), None), "dot": ((0, 1), None),
    "addmm": ((1, 2), 0), "baddbmm": ((1, 2), 0), "addmv": ((1, 2), 0), "addbmm": ((1, 2), 0),
    "convolution": ((0, 1), 2),
}

#: One rounding of an exact result.
ARITHMETIC = frozenset("""
    add sub mul div rsub addcmul addcdiv lerp square fmod remainder arange linspace
    _foreach_add true_divide
""".split())

#: Functions that libraries compute to an ulp or two.
TRANSCENDENTAL = frozenset("""
    exp exp2 expm1 log log1p log2 log10 tanh sigmoid sin cos tan asin acos atan atan2 sinh cosh
    asinh acosh atanh erf erfc erfinv sqrt rsqrt pow reciprocal hypot polar angle
    i0 xlogy
""".split())

#: Those among them that some libraries compute as accurately beside 1 as they are here beside their
#: results: a small result of theirs may have no correct digit.
BOUNDED = frozenset({"sigmoid", "tanh", "erf", "erfc", "expm1"})

#: Those among them that come from an exponential, and may give less than the smallest normal
#: number, which some libraries then make 0.
EXPONENTIAL = frozenset({"exp", "exp2", "sigmoid"})

#: Sums of the numbers of one argument.
SUMS = frozenset({"sum", "mean", "nansum"})

#: Weighted sums of some dozen neighbours, all weights positive.
LOCAL_SUMS = frozenset("""
    avg_pool1d avg_pool2d avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d
    avg_pool2d_backward avg_pool3d_backward _adaptive_avg_pool2d_backward
    _adaptive_avg_pool3d_backward upsample_nearest1d_backward upsample_nearest2d_backward
    upsample_nearest3d_backward _upsample_nearest_exact1d_backward
    _upsample_nearest_exact2d_backward _upsample_nearest_exact3d_backward
    max_pool2d_with_indices_backward max_pool3d_with_indices_backward
    adaptive_max_pool2d_backward adaptive_max_pool3d_backward fractional_max_pool2d_backward
    fractional_max_pool3d_backward reflection_pad1d_backward reflection_pad2d_backward
    reflection_pad3d_backward replication_pad1d_backward replication_pad2d_backward
    replication_pad3d_backward col2im unfold_backward _embedding_bag_backward
""".split())

#: Sums of what is put in one place: which of the arguments holds that.
SCATTERED_SUMS = {"index_put": 2, "_unsafe_index_put": 2, "put": 2, "scatter_add": 3,
                  "index_add": 3}

#: The same, and products, means and extremes of it, as an argument says.
REDUCTIONS = frozenset({"scatter_reduce", "index_reduce"})

#: Sums, means and largest of some rows of a table each.
BAGS = frozenset({"_embedding_bag", "_embedding_bag_forward_only"})

#: Products of the numbers of one argument.
CHAINS = frozenset({"prod", "cumprod"})

FOURIER = frozenset({"_fft_r2c", "_fft_c2c", "_fft_c2r"})

#: Weighted means of neighbours. Their decompositions add weighted differences, and may round less
#: than the implementations that add up weighted neighbours.
RESAMPLING = frozenset("""
    upsample_linear1d upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d grid_sampler_2d
""".split())

#: Round to half precision between their parts, which their decompositions do not.
WITHOUT_HALF = RESAMPLING | {"grid_sampler_2d_backward", "_trilinear", "linalg_cross", "addr",
                             "affine_grid_generator", "_euclidean_dist"}

#: Draw random numbers; those of another type are others.
RANDOM = frozenset("""
    rand randn normal bernoulli multinomial rand_like randn_like
    uniform_ normal_ bernoulli_ exponential_ log_normal_ cauchy_
""".split())
