"""HTTP service: ``uvicorn serve:app --host 0.0.0.0``."""

import io
import os

from fastapi import FastAPI, Request, UploadFile
from PIL import Image

from leaves import wire
from leaves.inference import Classifier, LeafIndex
from leaves.taxonomy import treatment

WEIGHTS = os.environ.get("WEIGHTS", "/models/leaves.pt")
CLASSES = os.environ.get("CLASSES", "healthy,rust,blight,mildew").split(",")

app = FastAPI(title="leaves")
classifier = Classifier(WEIGHTS, CLASSES)
index = LeafIndex(WEIGHTS, len(CLASSES))


@app.get("/health")
async def health():
    return {"ok": True}


@app.post("/classify")
async def classify(file: UploadFile):
    image = Image.open(io.BytesIO(await file.read()))
    scores = classifier.predict(image)
    disease = max(scores, key=scores.get)
    return {"scores": scores, "treatment": await treatment(disease)}


@app.post("/scan")
def classify_scan(file: UploadFile):
    image = Image.open(file.file)
    return {"scores": classifier.predict_scan(image)}


@app.post("/similar")
async def similar(request: Request):
    images = wire.decode(await request.body())
    return {"neighbours": index.nearest(images)}
