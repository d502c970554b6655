"""What people call things, and what the catalogue calls them.

A row of ``SYNONYMS`` is: words or phrases that are asked for; what the catalogue says for them in its slugs, groups and
fields; and why the two are one. Rows go one way, from the asker's words to the catalogue's, so that a word of the
catalogue keeps its own meaning. A row is there because of what a group of models does, what a field means or what a
family is called, never for one question. Words are compared without their endings.

Lives here: those tables. Does not live here: how a question is read by them (``search``).
"""

from __future__ import annotations

from typing import Final

# Words of a question that tell nothing of a model.
STOP: Final = frozenset(
    """
    a about all am an and any are as at be by can create creating do does find for from generate generating generation
    generator get give how i in instead into is it its large like make makes making me model models my need new no of
    old on one or other own please put several some that the their them there this three to tool tools turn two use
    using want what which who with without you your
    """.split()  # noqa: SIM905 - to be read as words
)

_ROWS: Final = (
    # From one medium to another: the groups, and the short forms that slugs have of them.
    ("text to image, t2i, txt2img",
     "text to image, t2i", "a group"),
    ("draw, drawing, paint, painting, illustration, illustrate",
     "text to image, image", "what is drawn, or a drawing to begin with"),
    ("image to image, i2i, img2img, edit an image, image editing, photo editing, edit a photo, retouch",
     "image edit, image to image, i2i", "a group, which slugs call edit, i2i or image-to-image"),
    ("text to video, t2v, txt2vid, text2video, video from text, video from a description, video from a prompt",
     "text to video, t2v", "a group"),
    (("image to video, i2v, img2vid, image 2 video, image2video, photo to video, picture to video, animate, animating, "
      "bring to life, moving picture"),
     "image to video, i2v", "a group"),
    ("video to video, v2v, edit a video, video editing, restyle a video",
     "video edit, video to video, v2v", "a group, which slugs call video-edit or v2v"),
    (("text to speech, tts, speech synthesis, read aloud, aloud, narrate, narration, narrator, voiceover, voice over, "
      "speak, say"),
     "tts, speech", "models of the group audio that speak"),
    (("speech to text, stt, asr, speech recognition, transcribe, transcription, transcript, dictation, audio to text, "
      "voice to text"),
     "whisper, audio vision", "models that write down what they hear"),
    ("music, song, tune, melody, soundtrack, beat",
     "music, suno, song", "suno is the family of music"),
    ("blend, mix, mash up",
     "mashup, remix, combiner", "slugs say mashup of songs, combiner of videos"),
    ("lyrics, song lyrics, song text, words of a song",
     "lyrics", "the words of music"),
    ("dialogue, podcast, two voices, several voices, two speakers, conversation between",
     "dialogue, tts", "speech of several speakers"),
    ("sound effect, sfx, foley, noise",
     "sounds, text to audio, mmaudio", "sounds that are neither speech nor music"),
    ("sound, audio",
     "audio, sounds", "fields say audio: generate_audio, enable_audio"),
    ("add sound, sound for a video",
     "mmaudio video to video, video to audio, sounds", "sound for a silent video"),
    ("3d, three d, 3d model, mesh, glb, obj, sculpture",
     "3d", "the group three_d"),
    # Media.
    ("picture, photo, pic, photograph, foto, still, artwork, selfie",
     "image", "they are images"),
    ("clip, movie, film, footage, reel, animation",
     "video", "they are videos"),
    ("voice, spoken, speaker",
     "voice, speech, tts", "speech has a voice"),
    # What is done to a picture or a video.
    (("upscale, enlarge, sharpen, blurry, sharper, super resolution, superresolution, higher resolution, enhance, "
      "restore, denoise, unblur, deblur"),
     "upscale, upscaler, enhancer", "the group image_enhance makes larger and sharper"),
    ("remove background, background removal, cut out, cutout, transparent background, background eraser",
     "background remover, background", "slugs say background-remover"),
    ("erase, remove, remove object, delete, get rid of, rid, take away",
     "eraser, remover", "slugs say eraser or remover"),
    ("inpaint, inpainting, fill in, generative fill",
     "mask, eraser, image edit", "a mask tells what to change"),
    ("outpaint, outpainting, uncrop, extend the borders, extend border, expand an image, widen, zoom out",
     "image extension, reframe", "slugs say extension or reframe"),
    ("crop, vertical, portrait format, landscape format, change the aspect ratio",
     "autocrop, reframe", "another shape of the same picture"),
    ("swap faces, change the face, replace a face, deepfake, face",
     "face swap, face", "slugs say face-swap"),
    ("smile, frown, facial expression, look surprised",
     "face expression, expression", "slugs say expression"),
    ("clothes, clothing, outfit, garment, try on, fashion, dress",
     "dress change, dress, garment", "slugs say dress-change, the field garment_image_url"),
    ("colorize, colourise, colour, color, black and white, old photo",
     "color photo, color", "slugs say color"),
    ("anime, cartoon, manga, comic",
     "anime, ghibli, niji", "drawn styles are named after their schools"),
    ("headshot, portrait",
     "portrait, photo pack", "pictures of one person"),
    ("logo, watermark",
     "watermark", "what is laid over a picture"),
    ("extend, extend a video, longer, lengthen, continue, prolong",
     "extend, video extend, extension", "slugs say extend"),
    ("join, merge, combine, concatenate, stitch, glue",
     "combiner", "slugs say combiner"),
    ("highlights, shorts, cut into clips, best moments",
     "clipping, shorts", "slugs say clipping"),
    ("subtitle, caption, closed captions",
     "captions, subtitles", "two words for text under a video"),
    ("dance, dancing, motion transfer, mimic, copy the movement, puppeteer",
     "motion control, animate, act, dance", "a person's movement given to another"),
    ("lip sync, lipsync, lips, dub, dubbing, mouth",
     "lipsync, lip sync, infinitetalk", "the group lipsync"),
    ("avatar, talking avatar, talking head, talking photo, presenter, spokesperson",
     "avatar, avatars, omnihuman", "the group avatars"),
    ("same person, same character, same face, consistent character, identity, likeness, keep the same",
     "character, subject reference, reference, pulid", "a reference tells whom to show"),
    ("depth map, depth estimation",
     "depth anything, depth", "slugs say depth"),
    # Frames: what fields call them.
    ("last frame, end frame, final frame, ending frame, last image, end image, tail frame",
     "last frame, last frames, last image, end image, start end", "fields last_image, end_image_url, last_frame_url"),
    ("first frame, start frame, starting frame",
     "first frame, first last, start end, image to video", "the image of an image-to-video model begins the video"),
    ("first and last frame, first last frame, start and end frame, keyframe, between two images, transition",
     "first last, start end, last frame, last image, end image, transition", "a video between two pictures"),
    # Language models, and what reads.
    ("language model, llm, chat, chatbot, assistant, conversation, write a text, reasoning, coding",
     "language", "the group language"),
    ("uncensored, unfiltered, no refusals, jailbroken",
     "abliterated, derestricted, obliterated, spicy", "what makers call models that refuse little"),
    ("moderate, moderation, nsfw, nudity, nude, unsafe, explicit, safe for work, inappropriate",
     "moderate", "slugs say moderate"),
    ("ocr, recognise text, recognize text, text in an image, text recognition, read text, extract text, scan, scanned",
     "ocr", "optical character recognition"),
    ("describe, what happens, understand, watch, look at, explain",
     "captioner, vision", "models that look at media"),
    ("train, training, fine tune, finetune, finetuning, teach, dreambooth",
     "trainer, training, train", "the group training"),
    # Data tools.
    ("google maps, maps, local business, restaurant",
     "business", "tools of businesses read Google Maps"),
    ("amazon, shop, store, webshop, product details",
     "ecommerce, marketplace", "slugs say ecommerce"),
    ("share price, stocks, shares, stock market",
     "stock", "slugs say stock"),
    ("bitcoin, ethereum, cryptocurrency, coin, token price",
     "crypto", "slugs say crypto"),
    ("influencer, blogger, youtuber, creator",
     "creators", "slugs say creators"),
    ("employee, staff, colleague, works at, work at",
     "employees, people", "slugs say employees or people"),
    ("vacancies, vacancy, hiring, jobs",
     "job postings", "slugs say job-postings"),
    ("headline, press",
     "news", "slugs say news"),
    ("advert, advertisement, ads",
     "ad library, ads", "slugs say ad-library"),
    ("tweet, tweets",
     "twitter, x", "the site has two names"),
    ("page speed, site speed, site audit",
     "lighthouse", "an audit of a site"),
    ("google ranking, search ranking, google position",
     "rank track, serp", "where a site stands in a search"),
    ("post, upload to, publish",
     "publish", "slugs say publish"),
    ("save, download",
     "download", "slugs say download"),
    ("website, site, web page",
     "domain, seo", "SEO tools ask for a domain"),
    ("valid, verify, validate, check",
     "verify, moderate", "two ways of checking"),
    # How good and how dear: tiers, and what makers call their small and their large models.
    ("cheap, cheapest, inexpensive, low cost, budget, affordable",
     "budget, lite, schnell, mini, turbo, fast", "a tier, and names of small models"),
    ("fast, fastest, quick, quickest, rapid",
     "fast, turbo, flash, lite, schnell", "a tier, and names of quick models"),
    ("best, best quality, highest quality, premium, high end",
     "best, pro, ultra, max", "a tier, and names of large models"),
    ("hd, full hd, fullhd, high definition",
     "1080p", "1080 lines"),
    ("uhd, ultra hd, 2160p",
     "4k", "2160 lines"),
)  # fmt: skip

SYNONYMS: Final = tuple((tuple(asked.split(", ")), tuple(said.split(", "))) for asked, said, _why in _ROWS)
"""What is asked, and what the catalogue says for it; of rows that ask the same, the first counts."""
