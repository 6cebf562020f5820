"""Text without a model: speeds against jieba and SnowNLP, and scores of segmentation, language and copies."""
